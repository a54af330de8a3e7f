// How much of what is lent stands near liquidation.
import type { Lenders } from "../contract";
import { bpsBare, compact, num } from "../format/number";
import type { Read } from "../live/resource";
import { Panel } from "../parts/panel";
import { Waiting } from "../parts/waiting";

export function Near({ read, base, quote }: { read: Read<Lenders>; base: string; quote: string }) {
  const sigma = read.value?.sigma_day;
  return (
    <Panel title="Lent near liquidation" note={sigma ? `σ is ${num(sigma * 100, 1)} % a day` : undefined}>
      {!read.value ? (
        <Waiting of={read} what="What stands near liquidation" />
      ) : (
        <table class="data near-debt">
          <thead>
            <tr>
              <th>Within</th>
              <th class="num">Positions</th>
              <th class="num w-part">Debt, {base}</th>
              <th class="num w-part">Debt, {quote}</th>
              <th class="num">Value, {quote}</th>
              <th class="num">Of all lent, %</th>
            </tr>
          </thead>
          <tbody>
            {read.value.near.map((n) => (
              <tr key={n.sigma_days}>
                <th scope="row" class="days">
                  {n.sigma_days} σ-day{n.sigma_days === 1 ? "" : "s"}
                </th>
                <td class="num">{num(n.positions)}</td>
                <td class="num w-part">{compact(n.debt_base)}</td>
                <td class="num w-part">{compact(n.debt_quote)}</td>
                <td class="num">{compact(n.debt_value)}</td>
                <td class="num">{bpsBare(n.share_bps)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}
