// What people told the keeper, newest first, with their reasons.
import { useNamed } from "../context";
import type { Override } from "../contract";
import { useRead } from "../live/resource";
import { When } from "../position/actions";
import { Panel } from "../parts/panel";

const SHOWN = 8;

export function Overrides() {
  const called = useNamed();
  const read = useRead<{ rows: Override[] }>("overrides", 2000);
  if (!read.value || read.value.rows.length === 0) return null;
  return (
    <Panel title="Overrides" note="UTC">
      <ol class="feed">
        {read.value.rows.slice(0, SHOWN).map((o) => (
          <li key={o.id}>
            <span class="num dim">
              <When secs={o.secs} />
            </span>
            <span>
              {o.mode} {o.scope === "keeper" ? "the keeper" : called(o.number, o.market)} <span class="dim">by {o.by}</span>
              <span class="why">{o.note}</span>
            </span>
          </li>
        ))}
      </ol>
    </Panel>
  );
}
