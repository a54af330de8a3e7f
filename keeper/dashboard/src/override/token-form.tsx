// Asks for the keeper's token.
import { useState } from "preact/hooks";

export function TokenForm({ given }: { given: (token: string) => void }) {
  const [value, set] = useState("");
  return (
    <>
      <p>
        Overrides need the keeper’s token. <code>ballast dashboard</code> opens this page with it; it is kept until this tab closes.
      </p>
      <label>
        Token
        <input
          type="password"
          autocomplete="off"
          value={value}
          onInput={(event) => set(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || value.trim() === "") return;
            event.preventDefault();
            given(value);
          }}
          autofocus
        />
      </label>
      <div class="buttons">
        <button type="button" class="primary" disabled={value.trim() === ""} onClick={() => given(value)}>
          Continue
        </button>
      </div>
    </>
  );
}
