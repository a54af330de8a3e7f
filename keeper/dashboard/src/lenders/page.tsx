// For those who lend: what their money earns, what stands before a loss, and what could cause one.
import type { Lenders, Market, Reserve } from "../contract";
import { usePage, useSymbols } from "../context";
import { bps, compact, money, plural, short, tokens } from "../format/number";
import { useRead } from "../live/resource";
import { Fact } from "../parts/fact";
import { Unknown } from "../parts/unknown";
import { Waiting } from "../parts/waiting";
import { href } from "../route";
import { Earnings } from "./earnings";
import { Gaps } from "./gaps";
import { Near } from "./near";

export function LendersPage({ chosen }: { chosen: string | null }) {
  const { status } = usePage();
  const markets = status?.markets ?? [];
  const address = chosen ?? markets[0]?.market ?? null;
  const market = useRead<Market>(address ? `markets/${address}` : null, 2000);
  const risk = useRead<Lenders>(address ? `markets/${address}/lenders` : null, 2000);
  const { base, quote, name } = useSymbols(address);
  if (status && chosen && !markets.some((m) => m.market === chosen)) {
    return <Unknown what={`This keeper serves no market ${short(chosen)}.`} to={{ view: "lenders", market: null }} link="To its lenders" />;
  }
  const reserves = risk.value?.reserves ?? market.value?.reserves ?? null;
  return (
    <div class="wide-page">
      <div class="page-head">
        <h1>
          Lenders {markets.length > 1 ? "" : <span class="dim">{name}</span>}
        </h1>
        {markets.length > 1 && (
          <nav class="seg" aria-label="Market">
            {markets.map((m) => (
              <a key={m.market} href={href({ view: "lenders", market: m.market })} aria-current={m.market === address ? "page" : undefined}>
                {m.name}
              </a>
            ))}
          </nav>
        )}
      </div>
      {reserves ? (
        <>
          <LenderFacts reserves={reserves} risk={risk.value} quote={quote} />
          <Earnings reserves={reserves} />
        </>
      ) : (
        <section class="panel">
          <Waiting of={market} what="Lending" />
        </section>
      )}
      <div class="tiles two">
        <Near read={risk} base={base} quote={quote} />
        <Gaps read={risk} base={base} quote={quote} />
      </div>
      <p class="fine dim">
        A loss is borne in this order: the position’s own equity, the insurance of the reserve, then all lenders of that reserve alike. A sigma-day (σ-day) is a usual day’s move of the
        price.
      </p>
    </div>
  );
}

function LenderFacts({ reserves, risk, quote }: { reserves: Reserve[]; risk: Lenders | null; quote: string }) {
  const day = risk?.near.find((n) => n.sigma_days === 1);
  const worst = risk?.gaps.reduce<Lenders["gaps"][number] | null>((a, b) => (a === null || Number(b.lenders_lose_value) > Number(a.lenders_lose_value) ? b : a), null) ?? null;
  const loss = Number(worst?.lenders_lose_value ?? 0);
  const shown = reserves.filter((r) => Number(r.shown_loss) > 0);
  const lost = reserves.filter((r) => Number(r.bad_debt) > 0);
  return (
    <dl class="facts lender-facts">
      {reserves.map((r) => (
        <Fact
          key={r.token}
          name={`Lending ${r.token} earns`}
          value={bps(r.supply_rate_bps, 2)}
          unit="a year"
          kind={r.utilisation_bps >= 9_500 ? "warn" : ""}
          sub={`${bps(r.utilisation_bps, 0)} is lent · ${compact(r.available)} free`}
        />
      ))}
      <Fact
        name="Within one σ-day"
        kind={day && day.share_bps > 500 ? "warn" : ""}
        value={day ? bps(day.share_bps, 1) : "unknown"}
        unit={day ? "of what is lent" : ""}
        sub={day ? `${money(day.debt_value)} ${quote} · ${plural(day.positions, "position")}` : "this keeper does not tell it"}
        title="Debt of positions that a usual day’s move would bring to liquidation"
      />
      <Fact
        name="Worst gap shown"
        kind={loss > 0 ? "critical" : ""}
        value={!worst ? "unknown" : loss > 0 ? `−${money(loss)}` : "no loss"}
        unit={loss > 0 ? quote : ""}
        sub={!worst ? "this keeper does not tell it" : loss > 0 ? `at ${bps(worst.move_bps, 0, true)}` : "insurance and equity carry them all"}
      />
      <Fact
        name="Bad debt ever"
        kind={lost.length > 0 ? "critical" : ""}
        value={lost.length === 0 ? "none" : lost.map((r) => tokens(r.bad_debt)).join(" + ")}
        unit={lost.map((r) => r.token).join(", ")}
        sub={shown.length === 0 ? "nor any seen that waits to be booked" : `seen, not booked yet: ${shown.map((r) => `${tokens(r.shown_loss)} ${r.token}`).join(", ")}`}
        title="Booked beyond insurance. Seen: what positions do not cover, and nobody has booked yet."
      />
    </dl>
  );
}
