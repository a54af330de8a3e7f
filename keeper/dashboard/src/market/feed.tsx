// The newest actions of the whole book.
import { useNamed, usePage } from "../context";
import type { Actions } from "../contract";
import { marketWord } from "../format/named";
import { actionWord } from "../format/words";
import { useRead } from "../live/resource";
import { Outcome, When } from "../position/actions";
import { Panel } from "../parts/panel";
import { Waiting } from "../parts/waiting";
import { href } from "../route";

const SHOWN = 12;

export function Feed() {
  const called = useNamed();
  const { status } = usePage();
  const read = useRead<Actions>(`actions?limit=${SHOWN}`);
  return (
    <Panel title="Latest actions" note="UTC" class="latest">
      {!read.value && <Waiting of={read} what="The journal" />}
      {read.value?.rows.length === 0 && <p class="empty">Nothing has been done yet.</p>}
      {read.value && read.value.rows.length > 0 && (
        <ol class="feed">
          {read.value.rows.map((a) => (
            <li key={a.id}>
              <span class="num dim">
                <When secs={a.secs} />
              </span>
              <span>
                {a.number === null ? `market ${marketWord(status?.markets ?? [], a.market)}`.trim() : <a href={href({ view: "position", position: a.position })}>{called(a.number, a.market)}</a>} {actionWord(a.action)} <span class={`outcome ${a.outcome}`}>
                  <Outcome action={a} />
                </span>
                <span class="why">{a.reason}</span>
              </span>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}
