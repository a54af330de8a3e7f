// Whether the keeper lives, in the header.
import { usePage } from "../context";
import { num } from "../format/number";
import { live, silence } from "../live/state";

export function LifeSign() {
  const { life } = usePage();
  const words = {
    live: "live",
    late: `last word ${num(silence() / 1000)} s ago`,
    dead: "no word",
    blind: "sees no chain",
    starting: "connecting",
  }[life];
  return (
    <span class={`life ${life}`} title="How fresh everything on this page is">
      <i aria-hidden="true" />
      {words}
      {live.tick && life !== "dead" && <span class="dim slot"> · slot {num(live.tick.slot)}</span>}
    </span>
  );
}
