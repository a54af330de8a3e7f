// The first question, is it alive, and the way around.
import type { Flags, Market } from "../contract";
import { usePage } from "../context";
import { num, price } from "../format/number";
import { clock } from "../format/time";
import { modeWord, stageWord } from "../format/words";
import { useRead } from "../live/resource";
import { live } from "../live/state";
import { href, type Route } from "../route";
import { Controls } from "./controls";
import { LifeSign } from "./life-sign";
import type { Theme } from "./theme";

interface HeaderProps {
  route: Route;
  selected: string | null;
  market: Market | null;
  theme: Theme;
  nextTheme: () => void;
  showKeys: () => void;
}

export function Header({ route, selected, market, theme, nextTheme, showKeys }: HeaderProps) {
  const { status } = usePage();
  const tick = live.tick;
  const flags = status?.red_flags;
  const raised = tick?.flags_raised ?? flags?.raised ?? 0;
  const unknown = useRead<Flags>("flags", 2000).value?.flags.filter((flag) => flag.state === "unknown").length ?? 0;
  const reduceAt = flags?.reduce_at ?? 2;
  const stage = market?.stage ?? tick?.stage ?? 0;
  return (
    <header class="top">
      <a class="brand" href="#/">
        Ballast
      </a>
      <Views route={route} selected={selected} />
      <span class="cell">
        <b class="num big">{price(market ? market.price : tick?.price)}</b>
        {market && <span class="dim">{market.name}</span>}
        {market && (
          <span class="dim cell-note num">
            oracle · pool {num(market.deviation_bps, 1, true)} bp · {num(market.oracle.age_secs)} s old
          </span>
        )}
      </span>
      <a class={`pill ${stage > 0 ? "warn stage" : ""}`} href={href({ view: "markets", market: market?.market ?? null })} title="Risk stage of the market, kept on chain">
        Stage {stage} <span class="dim">{stageWord(stage)}</span>
      </a>
      <a
        class={`pill ${raised >= reduceAt ? "critical" : raised > 0 ? "warn" : ""}`}
        href={href({ view: "markets", market: market?.market ?? null })}
        title={`When ${reduceAt} are raised the keeper reduces by itself`}
      >
        {raised} of {flags?.of ?? "–"} <span class="dim">red</span> flags{unknown > 0 && `, ${unknown} not judged`}
      </a>
      <span class="grow" />
      <LifeSign />
      <span class="dim utc num">{clock(tick?.now)} UTC</span>
      <span class={`pill mode ${tick?.mode ?? ""}`} title={status?.keeper.mode_reason}>
        {modeWord(tick?.mode)}
      </span>
      <Controls />
      <span class="icons">
        <button type="button" class="icon" onClick={nextTheme} aria-label={`Colours: ${theme}. Change`} title={`Colours: ${theme} (t)`}>
          {{ dark: "●", light: "○", auto: "◐" }[theme]}
        </button>
        <button type="button" class="icon" onClick={showKeys} aria-label="Keys" title="Keys (?)">
          ?
        </button>
      </span>
    </header>
  );
}

export function Views({ route, selected }: { route: Route; selected: string | null }) {
  const views: [Route["view"], string, string][] = [
    ["book", href({ view: "book" }), "Book"],
    ["position", selected ? href({ view: "position", position: selected }) : "#/", "Position"],
    ["markets", href({ view: "markets", market: null }), "Markets"],
    ["lenders", href({ view: "lenders", market: null }), "Lenders"],
  ];
  return (
    <nav class="views" aria-label="Views">
      {views.map(([view, to, text]) => (
        <a key={view} class={`v-${view}`} href={to} aria-current={route.view === view ? "page" : undefined}>
          {text}
        </a>
      ))}
    </nav>
  );
}
