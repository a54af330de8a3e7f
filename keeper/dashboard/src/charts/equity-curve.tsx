// Equity against price, with everything that happens on the way: band, liquidation, triggers, the price now, and the curve as
// opened behind it.
import type { CurvePoint, Position } from "../contract";
import { axis, bps, money, move, price, times, tokens } from "../format/number";
import { THRESHOLD_LABELS } from "../format/words";
import { type Frame, leftOf, Vertical, XAxis, YAxis } from "./axes";
import { useCursor } from "./cursor";
import { clamp, extent, lanes, type Mark, nearest, path, readable, scale, ticks } from "./scale";
import { useWidth } from "./width";

export type Zoom = "all" | "band";

const HEIGHT = 300;
const LANE = 14;

export function EquityCurve({ position: p, zoom, base }: { position: Position; zoom: Zoom; base: string }) {
  const [ref, width] = useWidth(700);
  const [low, high] = interval(p, zoom);
  const points = p.curve.filter((c) => c.price >= low && c.price <= high);
  const equityNow = Number(p.equity);
  const [floor, ceiling] = extent([equityNow, ...points.flatMap((c) => [c.equity, c.as_opened ?? c.equity])]);
  const heights = ticks(floor, ceiling, 5);
  const left = leftOf(axis(heights));
  const x = scale(low, high, left, width - 12);
  const placed = lanes(marks(p, low, high), x, left, width - 12);
  const frame: Frame = { width, height: HEIGHT, left, right: 12, top: 22 + LANE * Math.max(0, ...placed.map((m) => m.lane)), bottom: 26 };
  const along = ticks(low, high, Math.max(3, Math.floor(width / 95)));
  const y = scale(floor, ceiling, HEIGHT - frame.bottom, frame.top);
  const prices = points.map((c) => c.price);
  const [at, cursor] = useCursor(prices, x, nearest(prices, p.price));
  if (points.length < 2) return <p class="empty">The curve is not known.</p>;
  const chosen = at === null ? null : (points[at] ?? null);
  const opened = points.filter((c) => c.as_opened !== null);
  const inside = points.filter((c) => c.price >= p.lower * (1 - 1e-9) && c.price <= p.upper * (1 + 1e-9));
  const entry = Number(p.entry.equity);
  const zone = (from: number, to: number, kind: string) => {
    const [a, b] = [x(clamp(from, low, high)), x(clamp(to, low, high))];
    return b > a && <rect class={kind} x={a} width={b - a} y={frame.top} height={HEIGHT - frame.bottom - frame.top} />;
  };
  const line = (of: CurvePoint[], value: (c: CurvePoint) => number) => path(of.map((c) => [x(c.price), y(value(c))] as const));
  return (
    <figure class="chart" ref={ref}>
      <svg width={width} height={HEIGHT} tabIndex={0} role="img" aria-label={describe(p)} {...readable(x, y)} {...cursor}>
        <defs>
          <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect class="hatch-bg" width="6" height="6" />
            <line class="hatch" x1="0" y1="0" x2="0" y2="6" />
          </pattern>
        </defs>
        {zone(p.lower, p.upper, "z-band")}
        {p.liquidation_lower !== null && zone(low, p.liquidation_lower, "z-liq")}
        {p.liquidation_upper !== null && zone(p.liquidation_upper, high, "z-liq")}
        <YAxis at={heights} y={y} frame={frame} texts={axis(heights)} />
        <XAxis at={along} x={x} frame={frame} texts={axis(along)} />
        {entry > floor && entry < ceiling && <line class="entry" x1={frame.left} x2={width - frame.right} y1={y(entry)} y2={y(entry)} />}
        {placed.map((m) => (
          <g key={m.kind + m.at} class={`mark m-${m.kind}`}>
            {m.xs.map((at) => (
              <line key={at} x1={at} x2={at} y1={16 + LANE * m.lane} y2={HEIGHT - frame.bottom} />
            ))}
          </g>
        ))}
        {placed.map((m) => {
          const half = (m.text.length * 6) / 2;
          return (
            <g key={m.kind + m.at} class={`mark m-${m.kind}`}>
              <text x={clamp(m.x, frame.left + half, width - frame.right - half)} y={12 + LANE * m.lane} text-anchor="middle">
                {m.text}
              </text>
            </g>
          );
        })}
        {opened.length > 1 && <path class="ghost" d={line(opened, (c) => c.as_opened ?? 0)} />}
        <path class="curve" d={line(points, (c) => c.equity)} />
        {inside.length > 1 && <path class="curve in" d={line(inside, (c) => c.equity)} />}
        <Vertical kind="now" at={x(p.price)} frame={frame} />
        <circle class="now-dot" cx={x(p.price)} cy={y(equityNow)} r={4.5} />
        {chosen && (
          <g class="cursor">
            <Vertical kind="" at={x(chosen.price)} frame={frame} />
            <circle cx={x(chosen.price)} cy={y(chosen.equity)} r={3.5} />
          </g>
        )}
      </svg>
      <figcaption class="readout" aria-live="polite">
        {chosen ? <Chosen c={chosen} p={p} base={base} /> : <Legend p={p} opened={opened.length > 1} />}
      </figcaption>
    </figure>
  );
}

function Chosen({ c, p, base }: { c: CurvePoint; p: Position; base: string }) {
  return (
    <>
      <b>
        {price(c.price)} ({move(c.price, p.price)})
      </b>
      <span>
        equity <b>{money(c.equity)}</b> ({money(c.equity - Number(p.equity), true)})
      </span>
      <span>
        delta <b>{tokens(c.delta, true)}</b> {base}
      </span>
      <span>
        LTV <b>{bps(c.ltv_bps)}</b>
      </span>
      <span>
        leverage <b>{times(c.leverage_bps)}</b>
      </span>
    </>
  );
}

function Legend({ p, opened }: { p: Position; opened: boolean }) {
  return (
    <>
      <span class="key">
        <i class="k-curve" />
        equity now
      </span>
      {opened && (
        <span class="key">
          <i class="k-ghost" />
          as opened
        </span>
      )}
      <span class="key">
        <i class="k-band" />
        band
      </span>
      <span class="key">
        <i class="k-liq" />
        liquidation
      </span>
      <span class="key">
        <i class="k-now" />
        price {price(p.price)}
      </span>
    </>
  );
}

function interval(p: Position, zoom: Zoom): [number, number] {
  const low = p.curve[0]?.price ?? p.price * 0.5;
  const high = p.curve.at(-1)?.price ?? p.price * 1.5;
  if (zoom === "all") return [low, high];
  const around = Math.max(p.upper / p.lower - 1, 0.02) * 0.7;
  return [Math.max(low, Math.min(p.lower, p.price) * (1 - around)), Math.min(high, Math.max(p.upper, p.price) * (1 + around))];
}

function marks(p: Position, low: number, high: number): Mark[] {
  return p.thresholds.flatMap((t) =>
    [t.below, t.above].flatMap((at) => (at !== null && at > low && at < high ? [{ at, text: THRESHOLD_LABELS[t.threshold], kind: t.threshold }] : [])),
  );
}

function describe(p: Position): string {
  const side = (at: number | null, word: string) => (at === null ? `not ${word}` : `${word} ${price(at)}`);
  return (
    `Equity against price. Now ${money(p.equity)} at ${price(p.price)}. Band ${price(p.lower)} to ${price(p.upper)}. ` +
    `Liquidation ${side(p.liquidation_lower, "below")}, ${side(p.liquidation_upper, "above")}. Arrow keys read the curve.`
  );
}
