// Small bars, in SVG: the policy of this page allows no style attributes.
import { clamp } from "../charts/scale";

/** How full, with marks. */
export function Meter({ value, marks, label }: { value: number; marks: { at: number; kind: string }[]; label: string }) {
  const width = 56;
  return (
    <svg class="meter" width={width} height={10} role="img" aria-label={label}>
      <rect class="m-track" y={2} width={width} height={6} rx={2} />
      <rect class="m-fill" y={2} width={clamp(value, 0, 1) * width} height={6} rx={2} />
      {marks.map((mark) => (
        <rect key={mark.kind} class={`m-${mark.kind}`} x={clamp(mark.at, 0, 1) * width - 1} width={2} height={10} />
      ))}
    </svg>
  );
}

/** A signed part of a whole, to the left or right of the middle. */
export function Signed({ part, width = 52, label }: { part: number; width?: number; label?: string }) {
  const half = width / 2;
  const size = clamp(Math.abs(part), 0, 1) * half;
  const said = label === undefined ? { "aria-hidden": true } : { role: "img" as const, "aria-label": label };
  return (
    <svg class="signed" width={width} height={10} {...said}>
      <rect class="m-track" y={2} width={width} height={6} rx={2} />
      <rect class={part < 0 ? "m-short" : "m-long"} x={part < 0 ? half - size : half} y={2} width={size} height={6} />
      <rect class="m-middle" x={half - 0.5} width={1} height={10} />
    </svg>
  );
}
