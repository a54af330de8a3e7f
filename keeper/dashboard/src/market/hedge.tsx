// What the hedge at a venue has earned. The three parts add up to the total exactly.
import type { HedgePnl } from "../contract";
import { age, date } from "../format/time";
import { now } from "../live/state";
import { Panel } from "../parts/panel";
import { Split } from "../parts/split";

const PARTS: [Exclude<keyof HedgePnl, "total" | "observed_from_secs">, string, string][] = [
  ["price", "Price", "By the price’s moves, with what trading cost against the middle"],
  ["fees", "Venue’s fees", "On every fill"],
  ["funding", "Funding", "Paid or received every hour"],
];

export function HedgePanel({ pnl, quote }: { pnl: HedgePnl; quote: string }) {
  return (
    <Panel title="PnL of the hedge" note={`${quote}, ${age(now() - pnl.observed_from_secs)}`}>
      <Split parts={PARTS.map(([key, name, title]) => ({ name, title, amount: pnl[key] }))} total={pnl.total} />
      <p class="fine dim">Of the perpetual, since {date(pnl.observed_from_secs)} UTC. No position’s PnL holds it.</p>
    </Panel>
  );
}
