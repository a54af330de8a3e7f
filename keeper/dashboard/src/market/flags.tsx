// Red flags: what would make the keeper reduce by itself. A flag that cannot be judged says so.
import type { Flag, Flags as Answer } from "../contract";
import { usePage } from "../context";
import { said } from "../format/number";
import { span } from "../format/time";
import { useRead } from "../live/resource";
import { now } from "../live/state";
import { Panel } from "../parts/panel";
import { Waiting } from "../parts/waiting";

const SIGNS: Record<Flag["state"], string> = { raised: "▲", quiet: "○", unknown: "?" };
const WORDS: Record<Flag["state"], string> = { raised: "raised", quiet: "quiet", unknown: "unknown" };

export function Flags() {
  const { status } = usePage();
  const read = useRead<Answer>("flags", 2000);
  const reduceAt = status?.red_flags.reduce_at ?? 2;
  return (
    <Panel title="Red flags" note={`${reduceAt} raised: the keeper reduces`}>
      {!read.value ? (
        <Waiting of={read} what="The state of the flags" />
      ) : (
        <table class="data flags">
          <thead>
            <tr>
              <th>
                <span class="vh">State</span>
              </th>
              <th>Flag</th>
              <th class="num">Now</th>
              <th class="num">Limit</th>
            </tr>
          </thead>
          <tbody>
            {read.value.flags.map((f) => (
              <tr key={f.name} class={f.state} title={f.note}>
                <td class="sign">
                  <span aria-hidden="true">{SIGNS[f.state]}</span>
                  <span class="vh">{WORDS[f.state]}</span>
                </td>
                <th scope="row">
                  {f.label}
                  {f.state === "raised" && f.since_secs !== null && <span class="dim since"> for {span(now() - f.since_secs)}</span>}
                </th>
                <td class="num">{said(f.value)}</td>
                <td class="num dim">{said(f.threshold)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}
