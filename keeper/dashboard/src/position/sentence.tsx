// The sentence first: what is due, why, what is in its way, and what comes next at which price. The keeper says it, in the words of
// `ballast explain`; its first sentence is the headline.
import type { Position } from "../contract";
import { reached } from "../format/danger";
import { minus } from "../format/number";

export function Sentence({ position: p }: { position: Position }) {
  const [head, rest] = headline(minus(p.sentence));
  const lost = p.nearest && reached(p.nearest);
  return (
    <p class={`sentence ${p.decision.verdict} ${lost ? "critical" : ""}`}>
      <b>{head}</b> {rest}
    </p>
  );
}

/** Up to the first stop or colon that ends a word, not one inside a number. */
export function headline(text: string): [string, string] {
  const found = /^(.+?[.:!?])\s+(.*)$/s.exec(text.trim());
  return found ? [found[1] ?? text, found[2] ?? ""] : [text, ""];
}
