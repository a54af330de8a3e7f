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

export function YAxis({ at, y, frame, text, axis }: { at: readonly number[]; y: Scale; frame: Frame; text: (v: number) => string; axis?: number }) {
  return (
    <>
      {at.map((v) => (
        <g key={v}>
          <line class={v === axis ? "axis" : "grid"} x1={frame.left} x2={frame.width - frame.right} y1={y(v)} y2={y(v)} />
          <text class="tick" x={frame.left - 6} y={y(v) + 4} text-anchor="end">
            {text(v)}
          </text>
        </g>
      ))}
    </>
  );
}

export function XAxis({ at, x, frame, text }: { at: readonly number[]; x: Scale; frame: Frame; text: (v: number) => string }) {
  return (
    <>
      {at.map((v) => {
        const said = text(v);
        const half = said.length * 3.3;
        return (
          <text key={v} class="tick" x={clamp(x(v), half, frame.width - half)} y={frame.height - 5} text-anchor="middle">
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
