// One quantity through time.
import type { Action } from "../contract";
import { axis } from "../format/number";
import { clock, date, day } from "../format/time";
import { actionWord } from "../format/words";
import { type Frame, leftOf, Vertical, XAxis, YAxis } from "./axes";
import { useCursor } from "./cursor";
import { area, DAY_SECS, extent, path, readable, scale, ticks, times } from "./scale";
import { useWidth } from "./width";

const HEIGHT = 96;
/** On either side, as a part of the value: less is no movement worth a picture. */
const LEAST_SPAN = 0.001;

export interface Level {
  at: number;
  kind: "trigger" | "liq" | "entry";
}

export interface SeriesProps {
  title: string;
  unit: string;
  secs: number[];
  values: number[];
  /** Along the axis: what it is divided by there, and written behind it. */
  axisIn?: [divisor: number, unit: string];
  text: (value: number) => string;
  levels?: Level[];
  band?: [low: number, high: number][];
  /** Shows zero too. */
  zero?: boolean;
  actions: Action[];
}

export function Series({ title, unit, secs, values, axisIn: [divisor, suffix] = [1, ""], text, levels = [], band, zero, actions }: SeriesProps) {
  const [ref, width] = useWidth(300);
  const last = values.length - 1;
  const [first, end] = [secs[0] ?? 0, secs[last] ?? 1];
  const latest = values[last] ?? 0;
  const spread = Math.max(...values) - Math.min(...values);
  const near = levels.filter((l) => Math.abs(l.at - latest) < 3 * spread + Math.abs(latest) * 0.2);
  const around = Math.abs(latest) * LEAST_SPAN;
  const [low, high] = extent([...values, ...(band ?? []).flat(), ...near.map((l) => l.at), ...(zero ? [0] : [latest - around, latest + around])], 0.08);
  const heights = ticks(low, high, 3);
  const texts = axis(heights.map((v) => v / divisor), suffix);
  const frame: Frame = { width, height: HEIGHT, left: leftOf(texts), right: 8, top: 8, bottom: 20 };
  const x = scale(first, end, frame.left, width - frame.right);
  const y = scale(low, high, HEIGHT - frame.bottom, frame.top);
  const [at, cursor] = useCursor(secs, x, last);
  const shown = at ?? last;
  const marks = times(first, end, width);
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
        {...readable(x, y)}
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
        <YAxis at={heights} y={y} frame={frame} texts={texts} />
        <XAxis at={marks} x={x} frame={frame} texts={marks.map((t) => (t % DAY_SECS === 0 ? day(t) : clock(t, false)))} />
        {near.map((l) => (
          <line key={l.at} class={`level ${l.kind}`} x1={frame.left} x2={width - frame.right} y1={y(l.at)} y2={y(l.at)} />
        ))}
        <path class="curve thin" d={path(secs.map((t, i) => [x(t), y(values[i] ?? 0)] as const))} />
        {actions
          .filter((a) => a.secs >= first && a.secs <= end)
          .map((a) => (
            <path key={a.id} class={`act a-${a.outcome}`} d={`M${x(a.secs).toFixed(1)} ${HEIGHT - frame.bottom}l-3.2 6h6.4Z`}>
              <title>{`${actionWord(a.action)} ${date(a.secs)} UTC, ${a.outcome}`}</title>
            </path>
          ))}
        {at !== null && <Vertical kind="cursor-line" at={x(secs[at] ?? end)} frame={frame} />}
      </svg>
    </figure>
  );
}

