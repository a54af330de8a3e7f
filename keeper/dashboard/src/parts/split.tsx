// An amount and the parts that make it up.
import { money, type Num, percent, toNumber } from "../format/number";
import { Signed } from "./bar";

export interface Part {
  name: string;
  title: string;
  amount: Num;
}

/** Less is told as nothing, and drawn as nothing. */
const CENT = 0.01;

/** `of`: what the total is a part of, where that is worth saying. */
export function Split({ parts, total, of = 0 }: { parts: Part[]; total: Num; of?: number }) {
  const most = Math.max(CENT, ...parts.map((part) => Math.abs(toNumber(part.amount)) || 0));
  return (
    <table class="data pnl">
      <tbody>
        {parts.map(({ name, title, amount }) => (
          <tr key={name} title={title}>
            <th scope="row">{name}</th>
            <td class="num">{money(amount, true)}</td>
            <td class="bar">
              <Signed part={most > CENT ? toNumber(amount) / most || 0 : 0} width={70} />
            </td>
          </tr>
        ))}
        <tr class="sum">
          <th scope="row">Total</th>
          <td class="num">{money(total, true)}</td>
          <td class="num dim">{of > 0 ? percent(toNumber(total) / of, 2, true) : ""}</td>
        </tr>
      </tbody>
    </table>
  );
}
