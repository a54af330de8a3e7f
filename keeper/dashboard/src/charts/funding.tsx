// What the hedge's funding was, and what it is expected to be.
import type { Funding as Data } from "../contract";
import { axis, percent } from "../format/number";
import { date, day } from "../format/time";
import { type Frame, leftOf, Vertical, XAxis, YAxis } from "./axes";
import { useCursor } from "./cursor";
import { area, extent, path, readable, scale, ticks } from "./scale";
import { useWidth } from "./width";

const HEIGHT = 136;
const DAY = 86_400;

interface At {
  secs: number;
  rate: number;
  range: [number, number] | null;
}

export function Funding({ data }: { data: Data }) {
  const [ref, width] = useWidth(340);
  const past: At[] = data.past.map(([secs, rate]) => ({ secs, rate, range: null }));
  const coming: At[] = data.forecast.map(([secs, rate, low, high]) => ({ secs, rate, range: [low, high] }));
  const points = [...past, ...coming];
  const latest = past.at(-1);
  const fan: At[] = latest ? [{ ...latest, range: [latest.rate, latest.rate] }, ...coming] : coming;
  const [low, high] = extent([0, ...points.flatMap((p) => [p.rate, ...(p.range ?? [])])], 0.08);
  const heights = ticks(low, high, 3);
  const texts = axis(heights.map((v) => v * 100), "%");
  const frame: Frame = { width, height: HEIGHT, left: leftOf(texts), right: 6, top: 8, bottom: 20 };
  const first = points[0]?.secs ?? 0;
  const end = points.at(-1)?.secs ?? 1;
  const x = scale(first, end, frame.left, width - frame.right);
  const y = scale(low, high, HEIGHT - frame.bottom, frame.top);
  const [at, cursor] = useCursor(points.map((p) => p.secs), x, Math.max(0, past.length - 1));
  if (!latest) return <p class="empty">The venue’s funding is not known yet.</p>;
  const chosen = at === null ? null : (points[at] ?? null);
  const days: number[] = [];
  const step = Math.max(1, Math.ceil((end - first) / DAY / Math.max(1, Math.floor(width / 60)))) * DAY;
  for (let t = Math.ceil(first / step) * step; t < end; t += step) days.push(t);
  const line = (of: At[], value: (p: At) => number) => of.map((p) => [x(p.secs), y(value(p))] as const);
  const farthest = coming.at(-1);
  return (
    <figure class="chart" ref={ref}>
      <svg
        width={width}
        height={HEIGHT}
        tabIndex={0}
        role="img"
        aria-label={`Funding of ${data.instrument}, a year: now ${percent(latest.rate, 1, true)}${
          farthest ? `, expected at ${date(farthest.secs)} ${percent(farthest.rate, 1, true)}` : ""
        }. Arrow keys read it.`}
        {...readable(x, y)}
        {...cursor}
      >
        <YAxis at={heights} y={y} frame={frame} texts={texts} axis={0} />
        <XAxis at={days} x={x} frame={frame} texts={days.map(day)} />
        {fan.length > 1 && <path class="fan" d={area(line(fan, (p) => p.range?.[1] ?? p.rate), line(fan, (p) => p.range?.[0] ?? p.rate))} />}
        <path class="curve thin" d={path(line(past, (p) => p.rate))} />
        {fan.length > 1 && <path class="ghost" d={path(line(fan, (p) => p.rate))} />}
        <Vertical kind="now" at={x(latest.secs)} frame={frame} />
        {chosen && <Vertical kind="cursor-line" at={x(chosen.secs)} frame={frame} />}
      </svg>
      <figcaption class="readout" aria-live="polite">
        {chosen ? (
          <>
            <b class="num">{date(chosen.secs).slice(5)} UTC</b>
            <span class="num">{percent(chosen.rate, 1, true)}</span>
            {chosen.range && (
              <span class="num">
                {percent(chosen.range[0], 1, true)} to {percent(chosen.range[1], 1, true)}
              </span>
            )}
          </>
        ) : (
          <>
            <span class="key">
              <i class="k-curve" />
              paid by longs, a year
            </span>
            <span class="key">
              <i class="k-fan" />
              forecast
            </span>
          </>
        )}
      </figcaption>
    </figure>
  );
}
