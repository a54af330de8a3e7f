// What can be borrowed, at which rate.
import type { Reserve } from "../contract";
import { bpsBare, compact, num } from "../format/number";
import { Panel } from "../parts/panel";

export function Reserves({ reserves }: { reserves: Reserve[] }) {
  const lost = reserves.filter((r) => Number(r.bad_debt) > 0);
  return (
    <Panel title="Lending" note="percent; rates a year">
      <table class="data lending">
        <thead>
          <tr>
            <th>Reserve</th>
            <th class="num">Free</th>
            <th class="num">Used</th>
            <th class="num">Borrow</th>
            <th class="num">Lend</th>
            <th class="num">Insured</th>
          </tr>
        </thead>
        <tbody>
          {reserves.map((r) => (
            <tr key={r.token}>
              <th scope="row">{r.token}</th>
              <td class="num">{compact(r.available)}</td>
              <td class="num">{bpsBare(r.utilisation_bps, 0)}</td>
              <td class="num">{bpsBare(r.borrow_rate_bps)}</td>
              <td class="num">{bpsBare(r.supply_rate_bps)}</td>
              <td class="num">{compact(r.insurance)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="fine dim">
        {lost.length === 0 ? "No bad debt was ever booked." : `Bad debt booked: ${lost.map((r) => `${num(r.bad_debt, 2)} ${r.token}`).join(", ")}.`} Insurance is spent before lenders lose.
      </p>
    </Panel>
  );
}
