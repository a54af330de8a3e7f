// What each reserve holds, lends and earns.
import type { Reserve } from "../contract";
import { bpsBare, num, slowly, tokens } from "../format/number";
import { Meter } from "../parts/bar";
import { Panel } from "../parts/panel";

export function Earnings({ reserves }: { reserves: Reserve[] }) {
  return (
    <Panel title="Reserves" note="whole tokens; rates a year in percent">
      <div class="scroll-x" tabIndex={0} role="region" aria-label="Reserves">
        <table class="data">
          <thead>
            <tr>
              <th>Reserve</th>
              <th class="num">Supplied</th>
              <th class="num">Lent</th>
              <th class="num">Free</th>
              <th class="num">Used, %</th>
              <th class="num">Borrow, %</th>
              <th class="num">Lend, %</th>
              <th class="num">Share price</th>
              <th class="num">Insurance</th>
              <th class="num">Insured, % of lent</th>
              <th class="num">Bad debt ever</th>
            </tr>
          </thead>
          <tbody>
            {reserves.map((r) => {
              const lent = Number(r.borrowed);
              return (
                <tr key={r.token}>
                  <th scope="row">{r.token}</th>
                  <td class="num">{tokens(r.supplied)}</td>
                  <td class="num">{tokens(r.borrowed)}</td>
                  <td class="num">{tokens(r.available)}</td>
                  <td class="num">
                    <Meter value={r.utilisation_bps / 1e4} marks={[]} label={`${bpsBare(r.utilisation_bps, 0)} percent used`} /> {bpsBare(r.utilisation_bps)}
                  </td>
                  <td class="num">{bpsBare(r.borrow_rate_bps, 2)}</td>
                  <td class="num">{bpsBare(r.supply_rate_bps, 2)}</td>
                  <td class="num">{slowly(r.share_price)}</td>
                  <td class="num">{tokens(r.insurance)}</td>
                  <td class="num">{lent > 0 ? num((Number(r.insurance) / lent) * 100, 2) : "–"}</td>
                  <td class={Number(r.bad_debt) > 0 ? "num liquidated" : "num"}>{tokens(r.bad_debt)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
