// One figure of a row of figures: name, value with unit, and a line below.
import type { ComponentChildren } from "preact";

interface FactProps {
  name: string;
  value: ComponentChildren;
  unit?: string;
  sub?: ComponentChildren;
  kind?: string;
  title?: string;
}

export function Fact({ name, value, unit, sub, kind = "", title }: FactProps) {
  return (
    <div class={`fact ${kind}`} title={title}>
      <dt>{name}</dt>
      <dd>
        <b class="num">{value}</b>
        {unit && " "}
        {unit && <span class="unit">{unit}</span>}
      </dd>
      <dd class="sub num">{sub}</dd>
    </div>
  );
}
