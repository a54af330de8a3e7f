// The pool's liquidity around the price, the book's part of it, and one position's, drawn in.
import type { Liquidity as Data, Position } from "../contract";
import { axis, bps, compact, price } from "../format/number";
import { type Frame, leftOf, Vertical, XAxis, YAxis } from "./axes";
import { useCursor } from "./cursor";
import { clamp, nearest, readable, scale, ticks } from "./scale";
import { useWidth } from "./width";

const HEIGHT = 176;
/** Shown on both sides of the price, as a part of it. */
const REACH = 0.16;

export function Liquidity({ data, price: now, position: p }: { data: Data; price: number; position: Position | null }) {
  const [ref, width] = useWidth(340);
  const bins = data.bins.filter(([from, to]) => to > now * (1 - REACH) && from < now * (1 + REACH));
  const low = bins[0]?.[0] ?? now * (1 - REACH);
  const high = bins.at(-1)?.[1] ?? now * (1 + REACH);
  const most = Math.max(1e-9, ...bins.map((bin) => bin[2]));
  const heights = ticks(0, most, 3);
  const frame: Frame = { width, height: HEIGHT, left: leftOf(axis(heights)), right: 6, top: 8, bottom: 34 };
  const x = scale(low, high, frame.left, width - frame.right);
  const y = scale(0, most * 1.06, HEIGHT - frame.bottom, frame.top);
  const along = ticks(low, high, Math.floor(width / 75));
  const middles = bins.map(([from, to]) => (from + to) / 2);
  const [at, cursor] = useCursor(middles, x, nearest(middles, now));
  if (bins.length === 0) return <p class="empty">The pool holds no liquidity near the price.</p>;
  const bin = at === null ? null : (bins[at] ?? null);
  const bar = (from: number, to: number, value: number, kind: string) =>
    value > 0 && <rect class={kind} x={x(from) + 0.4} width={Math.max(0.6, x(to) - x(from) - 0.8)} y={y(value)} height={Math.max(0.5, y(0) - y(value))} />;
  const drawn = p && p.upper > low && p.lower < high ? p : null;
  const foot = HEIGHT - 24;
  return (
    <figure class="chart" ref={ref}>
      <svg
        width={width}
        height={HEIGHT}
        tabIndex={0}
        role="img"
        aria-label={`Liquidity of the pool around ${price(now)}. At the price the book holds ${bps(data.share_bps.book, 1)} of it${p ? `, position ${p.id} ${bps(data.share_bps.position, 1)}` : ""}. Arrow keys read it.`}
        {...readable(x, y)}
        {...cursor}
      >
        <YAxis at={heights} y={y} frame={frame} texts={axis(heights)} />
        {bins.map(([from, to, pool, book, one], i) => (
          <g key={from} class={i === at ? "hot" : ""}>
            {bar(from, to, pool, "l-pool")}
            {bar(from, to, book, "l-book")}
            {bar(from, to, one, "l-one")}
          </g>
        ))}
        <Vertical kind="now" at={x(now)} frame={{ ...frame, bottom: frame.bottom - 3 }} />
        <XAxis at={along} x={x} frame={frame} texts={axis(along)} />
        {drawn && (
          <g class="bracket">
            <line x1={x(clamp(drawn.lower, low, high))} x2={x(clamp(drawn.upper, low, high))} y1={foot} y2={foot} />
            {[drawn.lower, drawn.upper].map((end) => end > low && end < high && <line key={end} x1={x(end)} x2={x(end)} y1={foot - 4} y2={foot + 4} />)}
          </g>
        )}
      </svg>
      <figcaption class="readout" aria-live="polite">
        {bin ? (
          <>
            <b>
              {price(bin[0])} to {price(bin[1])}
            </b>
            <span>pool {compact(bin[2])}</span>
            <span>book {compact(bin[3])}</span>
            {p && (
              <span>
                #{p.id} {compact(bin[4])}
              </span>
            )}
          </>
        ) : (
          <>
            <span class="key">
              <i class="k-pool" />
              pool
            </span>
            <span class="key">
              <i class="k-book" />
              book {bps(data.share_bps.book, 1)}
            </span>
            {p && (
              <span class="key">
                <i class="k-one" />#{p.id} {bps(data.share_bps.position, 1)}
              </span>
            )}
            <span class="dim">
              {data.unit} in each {bps(((bins[0]?.[1] ?? 0) / low - 1) * 1e4)} of price
            </span>
          </>
        )}
      </figcaption>
    </figure>
  );
}
