// The keys, and a switch for them: single keys are in the way of some assistive software.
import { Modal } from "../parts/modal";

const KEYS: [string, string][] = [
  ["j  k", "next and previous position"],
  ["/", "filter the book"],
  ["g b, g p", "to the book, to the position"],
  ["g m, g l", "to the markets, to the lenders"],
  ["← → Home End", "read a picture that has the focus; Esc lets go"],
  ["t", "light, dark, automatic"],
  ["?", "this"],
];

export function KeysHelp({ on, set, closed }: { on: boolean; set: (on: boolean) => void; closed: () => void }) {
  return (
    <Modal labelledBy="keys-title" closed={closed}>
      {(close) => (
        <>
          <h2 id="keys-title">Keys</h2>
          <table class="data keys-table">
            <tbody>
              {KEYS.map(([key, what]) => (
                <tr key={key}>
                  <th scope="row">
                    <kbd>{key}</kbd>
                  </th>
                  <td>{what}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <label class="check">
            <input type="checkbox" checked={on} onChange={(event) => set(event.currentTarget.checked)} /> Single keys are on
          </label>
          <div class="buttons">
            <button type="button" onClick={close}>
              Close
            </button>
          </div>
        </>
      )}
    </Modal>
  );
}
