// The whole book under a gap: the price jumps, and nobody acts on the way.
import type { Book } from "../contract";
import { bpsBare, money, num, percent } from "../format/number";
import { Panel } from "../parts/panel";

export function BookGap({ book, quote }: { book: Book | null; quote: string }) {
  if (!book) return null;
  const equity = Number(book.equity);
  return (
    <Panel title="Book, if the price jumps" note="nobody acts">
      <table class="data gap">
        <thead>
          <tr>
            <th class="num">Move, %</th>
            <th class="num">Equity, {quote}</th>
            <th class="num w-change">Change</th>
            <th class="num" title="LTV at or over the policy’s trigger">
              Over trigger
            </th>
            <th class="num">Liquidated</th>
          </tr>
        </thead>
        <tbody>
          {book.what_if
            .filter((w) => w.move_bps !== 0)
            .map((w) => (
              <tr key={w.move_bps}>
                <th scope="row" class="num">
                  {bpsBare(w.move_bps, 0, true)}
                </th>
                <td class="num">{money(w.equity_gap)}</td>
                <td class="num dim w-change">{percent(Number(w.equity_gap) / equity - 1, 1, true)}</td>
                <td class="num">{num(w.positions_above_trigger_gap)}</td>
                <td class={w.positions_liquidated_gap > 0 ? "num liquidated" : "num"}>{num(w.positions_liquidated_gap)}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </Panel>
  );
}
