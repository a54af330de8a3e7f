// The pool: liquidity with a position drawn in, and what it takes to move its price.
import type { Liquidity as Data, Position } from "../contract";
import { Liquidity } from "../charts/liquidity";
import { bpsBare, compact } from "../format/number";
import { useRead } from "../live/resource";
import { Panel } from "../parts/panel";
import { Waiting } from "../parts/waiting";

export function Pool({ market, position, quote }: { market: string; position: Position | null; quote: string }) {
  const mine = position?.market === market ? position : null;
  const read = useRead<Data>(`markets/${market}/liquidity${mine ? `?position=${mine.position}` : ""}`, 3000);
  return (
    <Panel title="Pool liquidity" note="and its depth">
      {!read.value ? (
        <Waiting of={read} what="The pool’s liquidity" />
      ) : (
        <>
          {read.value.price === null ? <p class="empty">Without an oracle price there is nothing to draw around.</p> : <Liquidity data={read.value} price={read.value.price} position={mine} />}
          {read.value.state === "unknown" && <p class="fine dim">What others hold away from the price is unknown: only the book’s part is drawn there.</p>}
          <table class="data depth">
            <thead>
              <tr>
                <th scope="col">To move it, %</th>
                {read.value.depth.map((d) => (
                  <th key={d.move_bps} scope="col" class="num">
                    {bpsBare(d.move_bps, 0, true)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              <tr>
                <th scope="row">takes{read.value.state === "unknown" && " at least"}, {quote}</th>
                {read.value.depth.map((d) => (
                  <td key={d.move_bps} class="num">
                    {compact(d.value)}
                  </td>
                ))}
              </tr>
            </tbody>
          </table>
        </>
      )}
    </Panel>
  );
}
