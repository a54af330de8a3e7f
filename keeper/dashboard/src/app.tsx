// The page: frame, and the view that the address names.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Book as BookAnswer, Market, AppliedOverride, MarketName, Position as PositionAnswer, Positions, Row, Status } from "./contract";
import { Book } from "./book/book";
import { BookFacts } from "./book/facts";
import { type Ask, type Context, PageContext } from "./context";
import { distance } from "./format/danger";
import { named } from "./format/named";
import { Banner } from "./frame/banner";
import { Header, Views } from "./frame/header";
import { KeysHelp } from "./frame/keys-help";
import { useTheme } from "./frame/theme";
import { useKeys } from "./keys";
import { LendersPage } from "./lenders/page";
import { useRead } from "./live/resource";
import { useSetting } from "./live/setting";
import { life as lifeNow, useLive } from "./live/state";
import { isOld, type Life } from "./live/life";
import { MarketsPage } from "./market/page";
import { Feed } from "./market/feed";
import { Rail } from "./market/rail";
import { OverrideDialog } from "./override/dialog";
import { Toast } from "./override/toast";
import { Unknown } from "./parts/unknown";
import { Position } from "./position/position";
import { go, parse, type Route, useRoute } from "./route";

/** The second key of `g b` and the like has to follow within this time. */
const CHORD_MS = 1200;
/** In heartbeats. */
const FOLLOWS = 2.5;
const ON_OFF = ["on", "off"] as const;

export function App() {
  const { heartbeat_ms } = useLive();
  const route = useRoute();
  const life = lifeNow();
  const [theme, nextTheme] = useTheme();
  const [keys, setKeys] = useSetting("keys", ON_OFF, "on");
  const [asked, setAsked] = useState<Ask | null>(null);
  const askedFrom = useRef<Element | null>(null);
  /** When this page itself changed a mode. */
  const changedAt = useRef(-Infinity);
  const [said, say] = useState<AppliedOverride | null>(null);
  const [help, showHelp] = useState(false);
  const [filterAsked, askFilter] = useState(false);

  const status = useRead<Status>("status").value;
  const top = useRead<Positions>("positions?sort=danger&offset=0&limit=1");
  const nearest = top.value?.rows[0] ?? null;
  const selection = useSelected(route, nearest);
  const { selected } = selection;
  const read = useRead<PositionAnswer>(selected ? `positions/${selected}` : null);
  const position = read.value;
  const gone = read.error?.code === "no_such_position";
  const markets = status?.markets ?? [];
  const wanted = route.view === "markets" || route.view === "lenders" ? route.market : position?.market;
  const shownMarket = (markets.find((m) => m.market === wanted) ?? markets[0])?.market ?? null;
  // Sums over markets in different tokens mean nothing: with several, the figures are those of the market that is shown.
  const book = useRead<BookAnswer>(!status ? null : status.markets.length > 1 && shownMarket ? `book?market=${shownMarket}` : "book").value;
  const market = useRead<Market>(shownMarket ? `markets/${shownMarket}` : null, 2000).value;

  useTitle(life, nearest, markets);
  useViewKeys(keys === "on", selected, { nextTheme, help: () => showHelp(true), filter: () => askFilter(true) });
  useEffect(() => {
    if (gone && route.view !== "position") selection.release();
  }, [gone, route.view, nearest?.position]);
  const closeToast = () => {
    say(null);
    askedFrom.current?.querySelector<HTMLElement>("button:enabled")?.focus();
  };
  // What was done may not hold any more.
  useEffect(() => {
    if (said && isOld(life)) closeToast();
  }, [life]);
  const ask = (wanted: Ask) => {
    askedFrom.current = document.activeElement?.closest(".controls") ?? null;
    // What is shown follows a change within two heartbeats; until then one’s own is not held against oneself.
    const own = performance.now() - changedAt.current < FOLLOWS * heartbeat_ms;
    setAsked(own ? { ...wanted, expect: undefined } : wanted);
  };
  const context: Context = { status, life, ask };
  return (
    <PageContext.Provider value={context}>
      <a class="skip" href="#main" onClick={(event) => skip(event)}>
        To the content
      </a>
      <Header route={route} selected={selected} market={market} theme={theme} nextTheme={nextTheme} showKeys={() => showHelp(true)} />
      {/* Boxes of their own: what comes or goes in one moves nothing in the other, which would lose the focus. */}
      <div>
        <Banner nearest={nearest} />
      </div>
      <div>
        {said && (
          <Toast
            key={said.id}
            entry={said}
            closed={closeToast}
          />
        )}
      </div>
      <div class="page" data-view={route.view}>
        {route.view !== "book" && route.view !== "position" ? (
          <main id="main" tabIndex={-1}>
            {route.view === "markets" && <MarketsPage chosen={route.market} book={book} position={position} />}
            {route.view === "lenders" && <LendersPage chosen={route.market} />}
            {route.view === "unknown" && <Unknown what={`This page has no view “${route.asked}”.`} to={{ view: "book" }} link="To the book" />}
          </main>
        ) : (
          <>
            <BookFacts book={book} top={top.value} />
            <div class="left">
              <Book selected={selected} keys={keys === "on"} filterAsked={filterAsked} filterReached={() => askFilter(false)} />
              <Feed />
            </div>
            <main id="main" tabIndex={-1}>
              {selected ? (
                <Position key={selected} address={selected} nearer={selection.byItself && nearest?.position !== selected ? nearest : null} />
              ) : (
                <section class="panel">
                  <p class="empty">{top.value ? "No position to show." : "Reading…"}</p>
                </section>
              )}
            </main>
            <aside aria-label="Around the position">
              <Rail market={market} position={position} book={book} />
            </aside>
          </>
        )}
      </div>
      <div class="tabs">
        <Views route={route} selected={selected} />
      </div>
      {asked && (
        <OverrideDialog
          key={`${asked.mode} ${asked.position ?? ""}`}
          ask={asked}
          closed={() => setAsked(null)}
          done={(entry) => {
            changedAt.current = performance.now();
            setAsked(null);
            say(entry);
          }}
        />
      )}
      {help && <KeysHelp on={keys === "on"} set={(on) => setKeys(on ? "on" : "off")} closed={() => showHelp(false)} />}
    </PageContext.Provider>
  );
}

interface Selection {
  selected: string | null;
  /** Nobody has chosen it. */
  byItself: boolean;
  /** It is there no more. */
  release: () => void;
}

/** The position in the address; else the one last looked at, or the one that was nearest to the edge when the page was opened. It stays
 *  until a person moves: a button must not come to be about another position. */
function useSelected(route: Route, nearest: Row | null): Selection {
  const last = useRef<string | null>(null);
  const chosen = useRef(false);
  if (route.view === "position") {
    last.current = route.position;
    chosen.current = true;
  }
  last.current ??= nearest?.position ?? null;
  const release = () => {
    last.current = null;
    chosen.current = false;
  };
  return { selected: last.current, byItself: !chosen.current, release };
}

function useTitle(life: Life, row: Row | null, markets: MarketName[]): void {
  const near = row?.nearest && `${distance(row.nearest)} ${named(markets, row.id, row.market)}`;
  const title = life === "dead" ? "✕ no word – Ballast" : life === "blind" ? "✕ blind – Ballast" : near ? `${near} – Ballast` : "Ballast";
  useEffect(() => {
    document.title = title;
  }, [title]);
  useEffect(() => {
    document.documentElement.dataset.life = life;
  }, [life]);
}

interface ViewKeys {
  nextTheme: () => void;
  help: () => void;
  filter: () => void;
}

function useViewKeys(on: boolean, selected: string | null, { nextTheme, help, filter }: ViewKeys): void {
  const chord = useRef(-Infinity);
  useKeys((key, event) => {
    if (key === "?") help();
    if (!on) return;
    if (key === "/") {
      // Firefox would open its own search.
      event.preventDefault();
      const { view } = parse(location.hash);
      if (view !== "book" && view !== "position") go({ view: "book" });
      filter();
    }
    if (performance.now() - chord.current < CHORD_MS) {
      if (key === "b") go({ view: "book" });
      if (key === "p" && selected) go({ view: "position", position: selected });
      if (key === "m") go({ view: "markets", market: null });
      if (key === "l") go({ view: "lenders", market: null });
    } else if (key === "t") nextTheme();
    chord.current = key === "g" ? performance.now() : -Infinity;
  });
}

/** The fragment is the address here, so that it must not change. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}
