// A row as a picture: band, both boundaries and the next action, on a scale that is fine near the price. The price is in the
// middle of every row, so that thirty positions are compared at a glance.
import type { Row } from "../contract";
import { bent } from "./scale";

const HEIGHT = 20;

export function Strip({ row, price, width }: { row: Row; price: number; width: number }) {
  const middle = HEIGHT / 2;
  const x = (at: number) => (width / 2) * (1 + bent(Math.log(at / price)));
  const { liquidation_lower: low, liquidation_upper: high } = row;
  const from = low === null ? 0 : x(low);
  const to = high === null ? width : x(high);
  const lower = x(row.lower);
  return (
    <svg class="strip" width={width} height={HEIGHT} aria-hidden="true">
      <rect class="s-safe" x={from} width={Math.max(0, to - from)} y={middle - 1} height={2} />
      <rect class="s-band" x={lower} width={Math.max(1.5, x(row.upper) - lower)} y={middle - 4} height={8} rx={1} />
      {low !== null && from > 0 && <rect class="s-liq" x={from - 1} y={middle - 7} width={2} height={14} />}
      {high !== null && to < width && <rect class="s-liq" x={to - 1} y={middle - 7} width={2} height={14} />}
      {[row.next.below, row.next.above].map(
        (next) =>
          next && next.threshold !== "maintenance" && <rect key={next.price} class="s-next" x={x(next.price) - 0.75} y={middle - 6} width={1.5} height={12} />,
      )}
      <line class="s-now" x1={width / 2} x2={width / 2} y1={0} y2={HEIGHT} />
    </svg>
  );
}

/** Under this width the inner two would run into their neighbours. */
const ALL_FOUR = 120;
/** And the outer two would be cut off. */
const TWO = 66;

export function StripScale({ width }: { width: number }) {
  const moves = width < TWO ? [] : width < ALL_FOUR ? [-0.2, 0.2] : [-0.2, -0.05, 0.05, 0.2];
  return (
    <svg class="strip-scale" width={width} height={14} aria-hidden="true">
      {moves.map((move) => (
        <text key={move} x={(width / 2) * (1 + bent(Math.log(1 + move)))} y={11} text-anchor="middle">
          {`${move > 0 ? "+" : "−"}${Math.abs(move * 100)}`}
        </text>
      ))}
      <line class="s-now" x1={width / 2} x2={width / 2} y1={3} y2={14} />
    </svg>
  );
}
