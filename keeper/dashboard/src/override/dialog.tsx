// An override: what it does, to how many and how near, and why. Reducing is one click and a reason; halting and pausing raise
// risk, so they are red. Nobody has to type words: seconds count.
import { useEffect, useRef, useState } from "preact/hooks";
import type { AppliedOverride, OverrideRequest, Preview, Wish } from "../contract";
import type { Ask } from "../context";
import { useNamed } from "../context";
import { WISHES } from "../format/words";
import { ApiError, freshKey, post } from "../live/http";
import { dropToken, keepToken, token } from "../live/token";
import { Command } from "../parts/command";
import { Field } from "../parts/field";
import { Modal } from "../parts/modal";
import { Consequences } from "./consequences";
import { TokenForm } from "./token-form";
import { trouble } from "./trouble";

const REASON_LETTERS = 3;
const HINTS: Record<Wish, string> = {
  halt: "oracle looks wrong",
  reduce: "depth looks thin",
  pause: "owner is moving it by hand",
  resume: "oracle is back",
};

interface DialogProps {
  ask: Ask;
  closed: () => void;
  done: (entry: AppliedOverride) => void;
}

export function OverrideDialog({ ask, closed, done }: DialogProps) {
  const called = useNamed();
  const [note, setNote] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [preview, setPreview] = useState<Preview | null>(null);
  const [sending, setSending] = useState(false);
  const [need, setNeed] = useState(token() === null);
  // One decision is sent once, however often it is tried.
  const key = useRef(freshKey()).current;
  const target = { scope: ask.scope, mode: ask.mode, ...(ask.position && { position: ask.position }) };
  const verb = `${WISHES[ask.mode]} ${ask.scope === "keeper" ? "the keeper" : `position ${called(ask.number, ask.market)}`}`;

  const refused = (problem: unknown) => {
    setError(problem);
    if (problem instanceof ApiError && problem.status === 401) {
      dropToken();
      setNeed(true);
      if (problem.code === "no_token") setError(null);
    }
  };
  const look = async () => {
    try {
      setPreview(await post<Preview>("overrides/preview", target, freshKey()));
      setNeed(false);
      setError(null);
    } catch (problem) {
      refused(problem);
    }
  };
  useEffect(() => {
    if (!need) void look();
  }, []);

  const send = async () => {
    setSending(true);
    const request: OverrideRequest = { ...target, note: note.trim(), ...(ask.expect && { expect_mode: ask.expect }) };
    try {
      done(await post<AppliedOverride>("overrides", request, key));
    } catch (problem) {
      refused(problem);
      setSending(false);
    }
  };
  const reasoned = note.trim().length >= REASON_LETTERS;
  const raises = preview?.risk === "raises";
  return (
    <Modal labelledBy="ask-title" closed={closed}>
      {(close) => (
        <form
          method="dialog"
          onSubmit={(event) => {
            event.preventDefault();
            if (!need && preview && reasoned && !sending) void send();
          }}
        >
          <h2 id="ask-title">{verb}?</h2>
          {need && (
            <TokenForm
              given={(value) => {
                keepToken(value);
                void look();
              }}
            />
          )}
          {!need && !preview && error === null && <p class="dim">Reading the consequences…</p>}
          {!need && preview && (
            <>
              <Consequences preview={preview} />
              <Field label="Why? It goes into the journal" value={note} set={setNote} placeholder={HINTS[ask.mode]} />
            </>
          )}
          {error !== null && (
            <p class="error" role="alert">
              {trouble(error)}
            </p>
          )}
          <div class="buttons">
            <button type="button" onClick={close}>
              Cancel
            </button>
            {!need && (
              <button type="submit" class={raises ? "danger" : "primary"} disabled={sending || !preview || !reasoned}>
                {verb}
              </button>
            )}
          </div>
          <p class="fine dim">
            Without this page: <Command name={ask.mode} filled={{ POSITION: ask.position, REASON: note.trim() || HINTS[ask.mode] }} />
          </p>
        </form>
      )}
    </Modal>
  );
}
