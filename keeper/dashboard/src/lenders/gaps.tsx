// What a jump of the price would cost lenders when nobody acts on the way.
import type { Lenders } from "../contract";
import { bpsBare, compact, num, price } from "../format/number";
import type { Read } from "../live/resource";
import { Panel } from "../parts/panel";
import { Waiting } from "../parts/waiting";

export function Gaps({ read, base, quote }: { read: Read<Lenders>; base: string; quote: string }) {
  return (
    <Panel title="If the price jumps" note="nobody acts on the way">
      {!read.value ? (
        <Waiting of={read} what="What a jump would cost" />
      ) : (
        <table class="data gaps">
          <thead>
            <tr>
              <th class="num">Move, %</th>
              <th class="num w-price">Price</th>
              <th class="num">Liquidated</th>
              <th class="num">Insolvent</th>
              <th class="num" title={`Debt that the assets of insolvent positions do not repay, in ${base} and ${quote}, valued in ${quote}`}>
                Shortfall, {quote}
              </th>
              <th class="num">Lenders lose, {quote}</th>
            </tr>
          </thead>
          <tbody>
            {read.value.gaps.map((g) => {
              const loss = Number(g.lenders_lose_value) > 0;
              return (
                <tr key={g.move_bps}>
                  <th scope="row" class="num">
                    {bpsBare(g.move_bps, 0, true)}
                  </th>
                  <td class="num w-price">{price(g.price)}</td>
                  <td class="num">{num(g.positions_liquidated)}</td>
                  <td class={g.positions_insolvent > 0 ? "num above_trigger" : "num"}>{num(g.positions_insolvent)}</td>
                  <td class="num">{compact(g.shortfall_value)}</td>
                  <td class={loss ? "num liquidated" : "num"}>
                    {compact(g.lenders_lose_value)} {loss && <span class="tag">{bpsBare(g.lenders_lose_bps, 2)} % of supplied</span>}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </Panel>
  );
}
