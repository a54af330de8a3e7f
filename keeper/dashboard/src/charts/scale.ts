// Scales, ticks, paths: the arithmetic of pictures.

export interface Scale {
  (value: number): number;
  /** Which values stand where. */
  readonly ends: readonly [from: number, to: number, start: number, end: number];
}

export function scale(from: number, to: number, start: number, end: number): Scale {
  const whole = to - from || 1;
  return Object.assign((value: number) => start + ((value - from) / whole) * (end - start), { ends: [from, to, start, end] as const });
}

/** On a picture: so that what is drawn can be read back. */
export function readable(x: Scale, y: Scale) {
  return { "data-x": x.ends.join(" "), "data-y": y.ends.join(" ") };
}

/** About `count` round values within an interval; two at least, for one alone says no scale. */
export function ticks(low: number, high: number, count: number): number[] {
  if (!(high > low) || !Number.isFinite(high - low)) return [];
  const raw = (high - low) / Math.max(1, count);
  const magnitude = 10 ** Math.floor(Math.log10(raw));
  const largest = STEPS.findIndex((m) => m * magnitude >= raw * (1 - 1e-9));
  for (let i = largest; ; i -= 1) {
    const step = (STEPS[i] ?? 0.5) * magnitude;
    const first = Math.ceil(low / step - 1e-9);
    const last = Math.floor(high / step + 1e-9);
    if (last > first || i < 0) return Array.from({ length: last - first + 1 }, (_, n) => (first + n) * step);
  }
}

const STEPS = [1, 2, 2.5, 5, 10];

export const DAY_SECS = 86_400;
const TIME_STEPS = [900, 1800, 3600, 2 * 3600, 3 * 3600, 6 * 3600, 12 * 3600, DAY_SECS, 2 * DAY_SECS, 7 * DAY_SECS, 14 * DAY_SECS, 30 * DAY_SECS];

/** Round times within an interval; whole days where it has two or more of them, for then an hour says too little. */
export function times(first: number, end: number, width: number): number[] {
  const wanted = (end - first) / Math.max(2, Math.floor(width / 70));
  const least = end - first > 2 * DAY_SECS ? DAY_SECS : 0;
  const step = TIME_STEPS.find((s) => s >= wanted && s >= least) ?? 90 * DAY_SECS;
  const marks: number[] = [];
  for (let t = Math.ceil(first / step) * step; t <= end; t += step) marks.push(t);
  return marks;
}

/** The lowest and highest, with room around them. */
export function extent(values: readonly number[], room = 0.06): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return [0, 1];
  const pad = high > low ? (high - low) * room : Math.abs(high) * 0.02 || 1;
  return [low - pad, high + pad];
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

export type Point = readonly [x: number, y: number];

export function path(points: readonly Point[]): string {
  return points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
}

/** What lies between two lines over the same x. */
export function area(upper: readonly Point[], lower: readonly Point[]): string {
  return `${path(upper)}L${path([...lower].reverse()).slice(1)}Z`;
}

/** The index of the value that is nearest. */
export function nearest(values: readonly number[], wanted: number): number {
  let best = 0;
  values.forEach((value, i) => {
    if (Math.abs(value - wanted) < Math.abs((values[best] ?? Infinity) - wanted)) best = i;
  });
  return best;
}

export interface Mark {
  at: number;
  text: string;
  kind: string;
}
export interface PlacedMark extends Mark {
  /** Where it is marked: once, or several times under one label. */
  xs: number[];
  /** The label's middle. */
  x: number;
  lane: number;
}

/** Labels in lanes, so that none covers another. Those that say the same side by side are one. */
export function lanes(marks: readonly Mark[], x: Scale, low: number, high: number, charWidth = 6): PlacedMark[] {
  const ends: number[] = [];
  const groups: (Mark & { xs: number[] })[] = [];
  for (const mark of [...marks].sort((a, b) => a.at - b.at)) {
    const at = x(mark.at);
    const same = [...groups].reverse().find((group) => group.text === mark.text && at - (group.xs.at(-1) ?? 0) < mark.text.length * charWidth);
    if (same) same.xs.push(at);
    else groups.push({ ...mark, xs: [at] });
  }
  return groups
    .map((group) => ({ ...group, x: ((group.xs[0] ?? 0) + (group.xs.at(-1) ?? 0)) / 2 }))
    .sort((a, b) => a.x - b.x)
    .map((mark) => {
      const half = (mark.text.length * charWidth) / 2 + 5;
      const middle = clamp(mark.x, low + half, high - half);
      let lane = ends.findIndex((end) => end < middle - half);
      if (lane < 0) lane = ends.length;
      ends[lane] = middle + half;
      return { ...mark, lane };
    });
}

/** A scale that is fine near the price and coarse far away: from -1 at half the price's distance to 1. */
const BEND = 0.06;
const EDGE = 0.5;
export function bent(logRatio: number): number {
  return clamp(Math.asinh(logRatio / BEND) / Math.asinh(EDGE / BEND), -1, 1);
}
