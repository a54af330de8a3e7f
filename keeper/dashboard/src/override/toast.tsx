// What is said of an override that was journaled. It has the focus: the button that led to it may be gone.
import { useEffect, useRef } from "preact/hooks";
import { useNamed } from "../context";
import type { AppliedOverride } from "../contract";
import { actionWord } from "../format/words";

export function Toast({ entry, closed }: { entry: AppliedOverride; closed: () => void }) {
  const close = useRef<HTMLButtonElement>(null);
  const called = useNamed();
  useEffect(() => close.current?.focus(), []);
  return (
    <div class="toast" role="status">
      {done(entry, called)}{" "}
      <button ref={close} type="button" class="link" onClick={closed}>
        Close
      </button>
    </div>
  );
}

function done(entry: AppliedOverride, called: ReturnType<typeof useNamed>): string {
  const what = entry.scope === "keeper" ? "the keeper" : `position ${entry.number === undefined ? entry.position : called(entry.number, entry.market)}`;
  const sent = entry.in_flight.map((flight) => `${actionWord(flight.action)} of ${flight.number === null ? "a position" : called(flight.number, flight.market)}`);
  const landing = sent.length === 0 ? "" : ` Already sent, and may still land: ${sent.join(", ")}.`;
  return `Done and journaled as #${entry.id}: ${entry.mode} ${what}, “${entry.note}”.${landing}`;
}
