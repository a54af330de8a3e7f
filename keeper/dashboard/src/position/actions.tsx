// What the keeper did, with its reasons and what came of it.
import { useState } from "preact/hooks";
import type { Action, Actions as Answer } from "../contract";
import { usePage } from "../context";
import { bpsBare, money, NONE } from "../format/number";
import { clock, date, span } from "../format/time";
import { actionWord, OUTCOMES } from "../format/words";
import { get } from "../live/http";
import type { Read } from "../live/resource";
import { now } from "../live/state";
import { Panel } from "../parts/panel";
import { Waiting } from "../parts/waiting";

const DAY = 86_400;
export const ACTIONS_SHOWN = 20;

export function PositionActions({ position, read, quote }: { position: string; read: Read<Answer>; quote: string }) {
  const [older, setOlder] = useState<Action[]>([]);
  const [more, setMore] = useState<boolean | null>(null);
  const rows = read.value ? [...read.value.rows, ...older] : [];
  const last = rows.at(-1);
  const readOn = async () => {
    if (!last) return;
    const next = await get<Answer>(`actions?position=${position}&limit=${ACTIONS_SHOWN}&before=${last.id}`).catch(() => null);
    if (!next) return;
    setOlder([...older, ...next.rows]);
    setMore(next.more);
  };
  return (
    <Panel title="Actions" note={`LTV in percent, cost in ${quote}, UTC`} class="actions">
      {!read.value && <Waiting of={read} what="The journal" />}
      {read.value && rows.length === 0 && <p class="empty">Nothing has been done yet. The first action appears here with its reason.</p>}
      {rows.length > 0 && (
        <table class="data">
          <thead>
            <tr>
              <th>Time</th>
              <th>Action</th>
              <th class="reason">Reason</th>
              <th class="num after">LTV</th>
              <th class="num after">Cost</th>
              <th>Outcome</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((a) => (
              <tr key={a.id}>
                <td class="when" title={`${date(a.secs)} UTC, ${span(now() - a.secs)} ago`}>
                  <When secs={a.secs} />
                </td>
                <td>{actionWord(a.action)}</td>
                <td class="reason">{a.reason}</td>
                <td class="num after">{a.after ? `${bpsBare(a.before.ltv_bps)} → ${bpsBare(a.after.ltv_bps)}` : NONE}</td>
                <td class="num after">{money(a.cost)}</td>
                <td class={`outcome ${a.outcome}`}>
                  <Outcome action={a} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {(more ?? read.value?.more) && (
        <p class="fine">
          <button type="button" class="link" onClick={() => void readOn()}>
            Older actions
          </button>
        </p>
      )}
    </Panel>
  );
}

export function When({ secs }: { secs: number }) {
  return <>{now() - secs > DAY ? date(secs).slice(5) : clock(secs)}</>;
}

export function Outcome({ action: a }: { action: Action }) {
  const { status } = usePage();
  const link = explorerLink(status?.explorer ?? null, a.signature);
  return (
    <>
      <i aria-hidden="true">{OUTCOMES[a.outcome]}</i>{" "}
      {link ? (
        <a href={link} target="_blank" rel="noopener noreferrer" title={a.signature ?? ""}>
          {a.outcome}
        </a>
      ) : (
        <span title={a.signature ?? ""}>{a.outcome}</span>
      )}
      {a.error && <span class="why">{a.error}</span>}
    </>
  );
}

/** Only the web's own addresses: the template comes from a configuration file. */
export function explorerLink(template: string | null, signature: string | null): string | null {
  if (!template || !signature || !/^https?:\/\//.test(template)) return null;
  return template.replace("{signature}", encodeURIComponent(signature));
}
