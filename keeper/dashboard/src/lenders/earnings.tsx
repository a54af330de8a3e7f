// What each reserve holds, lends and earns. Where there is no room for a table, each reserve is a block of named figures.
import type { ComponentChildren } from "preact";
import type { Reserve } from "../contract";
import { bpsBare, num, slowly, tokens } from "../format/number";
import { Meter } from "../parts/bar";
import { Panel } from "../parts/panel";

interface Figure {
  name: string;
  of: (reserve: Reserve) => ComponentChildren;
  kind?: (reserve: Reserve) => string;
}

const FIGURES: readonly Figure[] = [
  { name: "Supplied", of: (r) => tokens(r.supplied) },
  { name: "Lent", of: (r) => tokens(r.borrowed) },
  { name: "Free", of: (r) => tokens(r.available) },
  {
    name: "Used, %",
    of: (r) => (
      <>
        <Meter value={r.utilisation_bps / 1e4} marks={[]} label={`${bpsBare(r.utilisation_bps, 0)} percent used`} /> {bpsBare(r.utilisation_bps)}
      </>
    ),
  },
  { name: "Borrow, %", of: (r) => bpsBare(r.borrow_rate_bps, 2) },
  { name: "Lend, %", of: (r) => bpsBare(r.supply_rate_bps, 2) },
  { name: "Share price", of: (r) => slowly(r.share_price) },
  { name: "Insurance", of: (r) => tokens(r.insurance) },
  { name: "Insured, % of lent", of: (r) => (Number(r.borrowed) > 0 ? num((Number(r.insurance) / Number(r.borrowed)) * 100, 2) : "–") },
  { name: "Bad debt ever", of: (r) => tokens(r.bad_debt), kind: (r) => (Number(r.bad_debt) > 0 ? "liquidated" : "") },
];

export function Earnings({ reserves }: { reserves: Reserve[] }) {
  return (
    <Panel title="Reserves" note="whole tokens; rates a year in percent" class="earnings">
      <table class="data stacks">
        <thead>
          <tr>
            <th>Reserve</th>
            {FIGURES.map(({ name }) => (
              <th key={name} class="num">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {reserves.map((r) => (
            <tr key={r.token}>
              <th scope="row">{r.token}</th>
              {FIGURES.map(({ name, of, kind }) => (
                <td key={name} data-name={name} class={`num ${kind?.(r) ?? ""}`}>
                  {of(r)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}
