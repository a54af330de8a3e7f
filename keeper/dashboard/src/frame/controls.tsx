// What a person can tell the whole keeper. Halting raises risk, so it is red.
import { usePage } from "../context";
import { live } from "../live/state";
import { Buttons } from "../parts/buttons";

export function Controls() {
  const { life, ask } = usePage();
  const mode = live.tick?.mode;
  const off = life === "dead" || life === "starting";
  const about = { scope: "keeper", expect: mode } as const;
  const restricted = mode === "reducing" || mode === "halted";
  return (
    <Buttons>
      {mode !== "reducing" && mode !== "halted" && (
        <button type="button" disabled={off} onClick={() => ask({ ...about, mode: "reduce" })}>
          Reduce…
        </button>
      )}
      {mode !== "halted" && (
        <button type="button" class="danger" disabled={off} onClick={() => ask({ ...about, mode: "halt" })}>
          Halt…
        </button>
      )}
      {restricted && (
        <button type="button" class="primary" disabled={off} onClick={() => ask({ ...about, mode: "resume" })}>
          Resume…
        </button>
      )}
    </Buttons>
  );
}
