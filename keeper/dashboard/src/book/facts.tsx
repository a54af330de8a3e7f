// The whole book in seven figures; the first one is what is nearest to the edge.
import type { Book, Positions } from "../contract";
import { useNamed, usePage, useSymbols } from "../context";
import { distance, severity, sigmaDays } from "../format/danger";
import { compact, money, NONE, num, percent, tokens } from "../format/number";
import { Fact } from "../parts/fact";
import { href } from "../route";

const NAMES = ["Nearest liquidation", "Equity", "Net delta", "Gamma, for 1 %", "Fees", "Buffer", "Work"];

/** `top`: the position nearest to liquidation, of all markets. */
export function BookFacts({ book, top }: { book: Book | null; top: Positions | null }) {
  const { status } = usePage();
  const called = useNamed();
  const { base, quote, name } = useSymbols(book?.market ?? status?.markets[0]?.market);
  /** With several markets, whose figures these are. */
  const of = status && status.markets.length > 1 ? `, ${name}` : "";
  if (!book || !top) {
    return (
      <dl class="facts skeleton" aria-busy="true">
        {NAMES.map((name) => (
          <Fact key={name} name={name} value={NONE} sub={"\u00a0"} />
        ))}
      </dl>
    );
  }
  const [first] = top.rows;
  const near = first?.nearest ?? null;
  const day = book.pnl_day === null ? null : Number(book.pnl_day);
  const counts = status?.counts;
  return (
    <dl class="facts">
      <Fact
        name="Nearest liquidation"
        kind={severity(near)}
        value={near ? distance(near, 2) : "none"}
        title="How far the price is from the nearest maintenance boundary. A sigma (σ) is a usual day’s move."
        sub={
          first && near ? (
            <a href={href({ view: "position", position: first.position })}>
              {called(first.id, first.market)} · {sigmaDays(near)}
            </a>
          ) : (
            "no position has a boundary"
          )
        }
      />
      <Fact
        name={`Equity${of}`}
        value={money(book.equity)}
        unit={quote}
        title={book.unvalued > 0 ? `${num(book.unvalued)} positions cannot be valued and are in no sum` : undefined}
        sub={book.unvalued > 0 ? `without ${num(book.unvalued)} unvalued` : day === null ? "24 h unknown" : `24 h ${money(day, true)} · ${percent(day / (Number(book.equity) - day), 2, true)}`}
      />
      <Fact
        name={`Net delta${of}`}
        value={tokens(book.net_delta, true)}
        unit={base}
        sub={book.hedge_state === "unknown" ? `LP ${tokens(book.delta, true)} · no perp` : `LP ${tokens(book.delta, true)} · perp ${tokens(book.hedge_delta, true)}`}
      />
      <Fact
        name={`Gamma, for 1 %${of}`}
        value={tokens(book.gamma_1pct, true)}
        unit={base}
        sub={`curvature ${money(book.curvature_day, true)} a day`}
        title="How delta changes when the price rises by one percent, and what that costs a day at the measured volatility"
      />
      <FeesFact book={book} quote={quote} of={of} />
      <BufferFact book={book} base={base} quote={quote} of={of} />
      <Fact
        name="Work"
        kind={counts && counts.blocked > 0 ? "critical" : ""}
        value={!counts ? NONE : counts.blocked > 0 ? `${num(counts.blocked)} blocked` : counts.due > 0 ? `${num(counts.due)} due` : "nothing due"}
        sub={counts ? `${num(counts.due)} due · ${num(counts.in_flight)} sent · ${num(counts.waiting)} wait` : ""}
        title="Due: an action that the keeper would take now. Blocked: due, but something is in its way. Sent: not settled yet."
      />
    </dl>
  );
}

function FeesFact({ book, quote, of }: { book: Book; quote: string; of: string }) {
  const curvature = -Number(book.curvature_day);
  return (
    <Fact
      name={`Fees, ${book.fees_day_state}${of}`}
      value={money(book.fees_day, true)}
      unit={`${quote} a day`}
      sub={curvature > 0 ? `${percent(Number(book.fees_day) / curvature, 0)} of curvature` : ""}
    />
  );
}

/** Either token may be what is short. */
function BufferFact({ book, base, quote, of }: { book: Book; base: string; quote: string; of: string }) {
  const c = book.contingency;
  const both = (inBase: string | null, inQuote: string | null) =>
    [inBase === null ? "" : `${compact(inBase)} ${base}`, inQuote === null ? "" : `${compact(inQuote)} ${quote}`].filter((text) => text !== "").join(" + ");
  const [needs, has] = [both(c.needed_base, c.needed_quote), both(c.have_base, c.have_quote)];
  return (
    <Fact
      name={`Buffer for ±${num(c.gap_bps / 100)} %${of}`}
      kind={c.state === "short" ? "critical" : ""}
      value={c.state}
      sub={needs && has ? `needs ${needs}, has ${has}` : needs && `needs ${needs}`}
      title="What would bring every position back to its target after such a gap, against what is set aside"
    />
  );
}
