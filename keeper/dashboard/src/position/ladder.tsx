// Prices at which something happens, highest first: the curve as a table. It is what a screen reader gets, and what an operator
// reads aloud on the phone.
import type { Position } from "../contract";
import { bpsBare, price } from "../format/number";
import { THRESHOLDS } from "../format/words";

interface Rung {
  at: number;
  what: string;
  kind: string;
  reached: boolean;
}

export function Ladder({ position: p }: { position: Position }) {
  return (
    <table class="ladder">
      <caption class="vh">Prices at which something happens, highest first</caption>
      <thead>
        <tr>
          <th class="num">Price</th>
          <th class="num">Move, %</th>
          <th>What happens</th>
        </tr>
      </thead>
      <tbody>
        {rungs(p).map((r) => (
          <tr key={r.kind + r.at} class={`t-${r.kind} ${r.reached ? "reached" : ""}`}>
            <th scope="row" class="num">
              {price(r.at)}
            </th>
            <td class="num">{r.kind === "now" ? "" : bpsBare((r.at / p.price - 1) * 1e4, 1, true)}</td>
            <td>
              {r.what}
              {r.reached && " (reached)"}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function rungs(p: Position): Rung[] {
  const found: Rung[] = [
    { at: p.upper, what: "band, upper end", kind: "edge", reached: false },
    { at: p.lower, what: "band, lower end", kind: "edge", reached: false },
    { at: p.price, what: "price now", kind: "now", reached: false },
  ];
  for (const t of p.thresholds) {
    const what = THRESHOLDS[t.threshold];
    if (t.above !== null) found.push({ at: t.above, what, kind: t.threshold, reached: !t.quiet && p.price >= t.above });
    if (t.below !== null) found.push({ at: t.below, what, kind: t.threshold, reached: !t.quiet && p.price <= t.below });
  }
  return found.sort((a, b) => b.at - a.at);
}
