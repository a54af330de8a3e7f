// What if the price moves: at once, when nobody can act; and steadily, when the keeper acts as it really would. The truth lies
// between them.
import type { Position, StateAt } from "../contract";
import { bpsBare, money, num, percent, price } from "../format/number";
import { HEALTH } from "../format/words";
import { Panel } from "../parts/panel";

export function WhatIf({ position: p, quote }: { position: Position; quote: string }) {
  const equity = Number(p.equity);
  const nobody = p.what_if.every((w) => w.kept === null);
  return (
    <Panel title="What if the price moves" note={`equity in ${quote}`}>
      <table class="data whatif">
        <thead>
          <tr>
            <th rowSpan={2} class="num">
              Move, %
            </th>
            <th rowSpan={2} class="num w-price">
              Price
            </th>
            <th colSpan={2} scope="colgroup" class="group">
              At once: nobody can act
            </th>
            <th colSpan={nobody ? 1 : 3} scope="colgroup" class="group">
              Steadily: the keeper acts
            </th>
          </tr>
          <tr>
            <th class="num">Equity</th>
            <th class="num">LTV %</th>
            {nobody ? (
              <td />
            ) : (
              <>
                <th class="num">Equity</th>
                <th class="num">LTV %</th>
                <th class="num w-acts">Acts</th>
              </>
            )}
          </tr>
        </thead>
        <tbody>
          {p.what_if.map((w, i) => (
            <tr key={w.move_bps}>
              <th scope="row" class="num">
                {bpsBare(w.move_bps, 0, true)}
              </th>
              <td class="num w-price">{price(w.price)}</td>
              <State state={w.gap} equity={equity} />
              {w.kept && (
                <>
                  <State state={w.kept} equity={equity} />
                  <td class="num w-acts">{num(w.kept.actions)}</td>
                </>
              )}
              {nobody && i === 0 && (
                <td rowSpan={p.what_if.length} class="dim nobody">
                  {p.keepers_allowed ? "Nobody: the position is paused or the keeper halted." : "Nobody: the owner has switched keepers off."}
                </td>
              )}
              {!nobody && !w.kept && <td colSpan={3} class="dim" />}
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

function State({ state: s, equity }: { state: StateAt; equity: number }) {
  return (
    <>
      <td class="num">
        <b>{money(s.equity)}</b> <span class="dim change">{percent(Number(s.equity) / equity - 1, 1, true)}</span>
      </td>
      <td class={`num ${s.state}`}>
        {bpsBare(s.ltv_bps)}
        {s.state !== "healthy" && <span class="tag">{HEALTH[s.state]}</span>}
      </td>
    </>
  );
}
