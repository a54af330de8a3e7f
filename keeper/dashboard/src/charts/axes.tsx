// Grid and ticks.
import { clamp, type Scale } from "./scale";

export interface Frame {
  width: number;
  height: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** As wide as its longest text. */
export function leftOf(texts: readonly string[]): number {
  return Math.max(40, ...texts.map((text) => Math.ceil(text.length * 6.6) + 12));
}

/** `texts`: of each value. `axis`: the value that is more than a line of the grid. */
export function YAxis({ at, y, frame, texts, axis }: { at: readonly number[]; y: Scale; frame: Frame; texts: readonly string[]; axis?: number }) {
  return (
    <>
      {at.map((v, i) => (
        <g key={v}>
          <line class={v === axis ? "axis" : "grid"} x1={frame.left} x2={frame.width - frame.right} y1={y(v)} y2={y(v)} />
          <text class="tick" data-at={v} x={frame.left - 6} y={y(v) + 4} text-anchor="end">
            {texts[i]}
          </text>
        </g>
      ))}
    </>
  );
}

export function XAxis({ at, x, frame, texts }: { at: readonly number[]; x: Scale; frame: Frame; texts: readonly string[] }) {
  return (
    <>
      {at.map((v, i) => {
        const said = texts[i] ?? "";
        const half = said.length * 3.3;
        return (
          <text key={v} class="tick" data-at={v} x={clamp(x(v), half, frame.width - half)} y={frame.height - 5} text-anchor="middle">
            {said}
          </text>
        );
      })}
    </>
  );
}

/** A vertical line through the whole picture. */
export function Vertical({ kind, at, frame }: { kind: string; at: number; frame: Frame }) {
  return <line class={kind} x1={at} x2={at} y1={frame.top} y2={frame.height - frame.bottom} />;
}
