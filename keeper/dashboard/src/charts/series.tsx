// One quantity through time.
import type { Action } from "../contract";
import { clock, date, day } from "../format/time";
import { type Frame, Vertical, XAxis, YAxis } from "./axes";
import { useCursor } from "./cursor";
import { area, extent, path, scale, ticks } from "./scale";
import { useWidth } from "./width";

const HEIGHT = 96;

export interface Level {
  at: number;
  kind: "trigger" | "liq" | "entry";
}

export interface SeriesProps {
  title: string;
  unit: string;
  secs: number[];
  values: number[];
  /** For the axis. */
  tick: (value: number) => string;
  text: (value: number) => string;
  levels?: Level[];
  band?: [low: number, high: number][];
  /** Shows zero too. */
  zero?: boolean;
  actions: Action[];
}

export function Series({ title, unit, secs, values, tick, text, levels = [], band, zero, actions }: SeriesProps) {
  const [ref, width] = useWidth(300);
  const frame: Frame = { width, height: HEIGHT, left: 46, right: 8, top: 8, bottom: 20 };
  const last = values.length - 1;
  const [first, end] = [secs[0] ?? 0, secs[last] ?? 1];
  const latest = values[last] ?? 0;
  const spread = Math.max(...values) - Math.min(...values);
  const near = levels.filter((l) => Math.abs(l.at - latest) < 3 * spread + Math.abs(latest) * 0.2);
  const [low, high] = extent([...values, ...(band ?? []).flat(), ...near.map((l) => l.at), ...(zero ? [0] : [])], 0.08);
  const x = scale(first, end, frame.left, width - frame.right);
  const y = scale(low, high, HEIGHT - frame.bottom, frame.top);
  const [at, cursor] = useCursor(secs, x, last);
  const shown = at ?? last;
  const { marks, days } = times(first, end, width);
  return (
    <figure class="series" ref={ref}>
      <figcaption>
        <span>
          {title}
          {unit && <span class="dim">, {unit}</span>}
        </span>
        <b class="num">{text(values[shown] ?? 0)}</b>
        <span class="dim num">{at === null ? "now" : date(secs[shown]).slice(5)}</span>
      </figcaption>
      <svg
        width={width}
        height={HEIGHT}
        tabIndex={0}
        role="img"
        aria-label={`${title} over ${Math.round((end - first) / 3600)} hours: now ${text(latest)}, lowest ${text(Math.min(...values))}, highest ${text(Math.max(...values))}. Arrow keys read it.`}
        {...cursor}
      >
        {band && (
          <path
            class="z-band"
            d={area(
              secs.map((t, i) => [x(t), y(band[i]?.[1] ?? 0)] as const),
              secs.map((t, i) => [x(t), y(band[i]?.[0] ?? 0)] as const),
            )}
          />
        )}
        <YAxis at={ticks(low, high, 3)} y={y} frame={frame} text={tick} />
        <XAxis at={marks} x={x} frame={frame} text={(t) => (days ? day(t) : clock(t, false))} />
        {near.map((l) => (
          <line key={l.at} class={`level ${l.kind}`} x1={frame.left} x2={width - frame.right} y1={y(l.at)} y2={y(l.at)} />
        ))}
        <path class="curve thin" d={path(secs.map((t, i) => [x(t), y(values[i] ?? 0)] as const))} />
        {actions
          .filter((a) => a.secs >= first && a.secs <= end)
          .map((a) => (
            <path key={a.id} class={`act a-${a.outcome}`} d={`M${x(a.secs).toFixed(1)} ${HEIGHT - frame.bottom}l-3.2 6h6.4Z`}>
              <title>{`${a.action} ${date(a.secs)} UTC, ${a.outcome}`}</title>
            </path>
          ))}
        {at !== null && <Vertical kind="cursor-line" at={x(secs[at] ?? end)} frame={frame} />}
      </svg>
    </figure>
  );
}

/** Round times; days when there are several. */
function times(first: number, end: number, width: number): { marks: number[]; days: boolean } {
  const wanted = (end - first) / Math.max(2, Math.floor(width / 70));
  const step = [900, 3600, 2 * 3600, 6 * 3600, 12 * 3600, 86_400, 2 * 86_400, 7 * 86_400, 14 * 86_400].find((s) => s >= wanted) ?? 30 * 86_400;
  const marks: number[] = [];
  for (let t = Math.ceil(first / step) * step; t <= end; t += step) marks.push(t);
  return { marks, days: step >= 86_400 };
}
