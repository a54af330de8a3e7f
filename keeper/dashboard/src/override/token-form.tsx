// Asks for the keeper's token.
import { useState } from "preact/hooks";
import { Command } from "../parts/command";
import { Field } from "../parts/field";

export function TokenForm({ given }: { given: (token: string) => void }) {
  const [value, set] = useState("");
  const give = () => {
    if (value.trim() !== "") given(value);
  };
  return (
    <>
      <p>
        Overrides need the keeper’s token. <Command name="dashboard" /> opens this page with it; it is kept until this tab closes.
      </p>
      <Field label="Token" type="password" value={value} set={set} entered={give} />
      <div class="buttons">
        <button type="button" class="primary" disabled={value.trim() === ""} onClick={give}>
          Continue
        </button>
      </div>
    </>
  );
}
