// Where the profit and loss came from. The five parts add up to the total exactly.
import type { PnlParts, Position } from "../contract";
import { money, percent, toNumber } from "../format/number";
import { age, date } from "../format/time";
import { now } from "../live/state";
import { Signed } from "../parts/bar";
import { Panel } from "../parts/panel";

const PARTS: [Exclude<keyof PnlParts, "state">, string, string][] = [
  ["fees", "Fees", "Collected, and still waiting in the pool"],
  ["interest", "Interest", "On what was borrowed"],
  ["drift", "Hedge drift", "Delta times the price's moves"],
  ["curvature", "Curvature", "What the bent curve costs when the price moves"],
  ["costs", "Swaps, gas", "Swaps against the oracle, rewards and transaction fees"],
];

export function Attribution({ position: p, quote }: { position: Position; quote: string }) {
  const opened = Number(p.entry.equity);
  const total = (
    <tr class="sum">
      <th scope="row">Total</th>
      <td class="num">{money(p.pnl_total, true)}</td>
      <td class="num dim">{opened > 0 ? percent(Number(p.pnl_total) / opened, 2, true) : ""}</td>
    </tr>
  );
  const known = p.pnl.state === "known";
  const most = Math.max(1e-9, ...PARTS.map(([key]) => Math.abs(toNumber(p.pnl[key])) || 0));
  return (
    <Panel title="PnL since opening" note={`${quote}, ${age(now() - p.entry.secs)}`}>
      <table class="data pnl">
        <tbody>
          {known &&
            PARTS.map(([key, name, title]) => (
              <tr key={key} title={title}>
                <th scope="row">{name}</th>
                <td class="num">{money(p.pnl[key], true)}</td>
                <td class="bar">
                  <Signed part={toNumber(p.pnl[key]) / most || 0} width={70} />
                </td>
              </tr>
            ))}
          {total}
        </tbody>
      </table>
      {!known && <p class="fine dim">How it divides is unknown: nobody has kept the sums of this position.</p>}
      {known && p.pnl_observed_from_secs && p.pnl_observed_from_secs > p.entry.secs && (
        <p class="fine dim">The split is known since {date(p.pnl_observed_from_secs)} UTC; what happened before is in the hedge drift.</p>
      )}
    </Panel>
  );
}
