// Where the profit and loss came from. The five parts add up to the total exactly.
import type { PnlParts, Position } from "../contract";
import { age, date } from "../format/time";
import { now } from "../live/state";
import { Panel } from "../parts/panel";
import { Split } from "../parts/split";

const PARTS: [Exclude<keyof PnlParts, "state">, string, string][] = [
  ["fees", "Fees", "Collected, and still waiting in the pool"],
  ["interest", "Interest", "On what was borrowed"],
  ["drift", "Hedge drift", "Delta times the price’s moves"],
  ["curvature", "Curvature", "What the bent curve costs when the price moves"],
  ["costs", "Swaps, gas", "Swaps against the oracle, rewards and transaction fees"],
];

export function Attribution({ position: p, quote }: { position: Position; quote: string }) {
  const known = p.pnl.state === "known";
  const parts = known ? PARTS.map(([key, name, title]) => ({ name, title, amount: p.pnl[key] })) : [];
  return (
    <Panel title="PnL since opening" note={`${quote}, ${age(now() - p.entry.secs)}`}>
      <Split parts={parts} total={p.pnl_total} of={Number(p.entry.equity)} />
      {!known && <p class="fine dim">How it divides is unknown: nobody has kept the sums of this position.</p>}
      {known && p.pnl_observed_from_secs && p.pnl_observed_from_secs > p.entry.secs && (
        <p class="fine dim">The split is known since {date(p.pnl_observed_from_secs)} UTC; what happened before is in the hedge drift.</p>
      )}
    </Panel>
  );
}
