// One position of the book.
import type { Row as Data } from "../contract";
import { Strip } from "../charts/strip";
import { distanceBare, severity } from "../format/danger";
import { bpsBare, moneyShort, move, short, times, tokensShort } from "../format/number";
import { actionWord, VERDICTS } from "../format/words";
import { go, href } from "../route";
import type { Columns } from "./columns";

interface RowProps {
  row: Data;
  index: number;
  selected: boolean;
  columns: Columns;
  /** Where positions of several markets stand together, what tells them apart. */
  market: string;
  /** There, the base token of this one. */
  base: string | null;
}

export function Row({ row, index, selected, columns, market, base }: RowProps) {
  const at = row.price;
  const to = { view: "position", position: row.position } as const;
  const { sign, word } = VERDICTS[row.decision.verdict];
  return (
    <tr class={`${severity(row.nearest)} ${selected ? "selected" : ""}`} aria-rowindex={index + 2} aria-current={selected ? "true" : undefined} onClick={() => go(to)}>
      <td class={`sign ${row.decision.verdict}`} title={word && `${word}: ${actionWord(row.decision.action ?? "")} ${row.decision.obstacles.join("; ")}`}>
        {sign}
        {word && <span class="vh">{word}</span>}
      </td>
      <th scope="row">
        <a href={href(to)} title={row.position}>
          #{row.id}
        </a>{" "}
        {market && columns.base && <span class="dim base">{market} </span>}
        {columns.name && <span class={row.label ? "dim name" : "dim addr"} title={row.label ?? row.position}>{row.label ?? short(row.position).slice(0, 4)}</span>}
      </th>
      {columns.strip > 0 && <td class="strip-cell"><Strip row={row} price={at} width={columns.strip} /></td>}
      <td class="num near">{row.nearest ? distanceBare(row.nearest) : "none"}</td>
      {columns.ltv && <td class="num c-ltv">{bpsBare(row.ltv_bps)}</td>}
      {columns.leverage && <td class="num c-leverage">{times(row.leverage_bps)}</td>}
      {columns.delta && (
        <td class="num c-delta">
          {tokensShort(row.delta, true)}
          {base && <span class="dim unit"> {base}</span>}
        </td>
      )}
      <td class="num c-equity">{moneyShort(row.equity)}</td>
      {columns.next && <td class="next dim">{next(row, at)}</td>}
    </tr>
  );
}

/** The nearer of the two next actions. */
function next(row: Data, price: number): string {
  const { below, above } = row.next;
  const nearer = !below ? above : !above ? below : above.price / price - 1 < 1 - below.price / price ? above : below;
  return nearer ? `${actionWord(nearer.action)} ${move(nearer.price, price)}` : "";
}
