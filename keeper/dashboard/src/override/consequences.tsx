// How many positions an override concerns, and how near they are.
import type { Preview } from "../contract";
import { useNamed, useSymbols } from "../context";
import { bps, money, num, plural } from "../format/number";
import { actionWord } from "../format/words";

export function Consequences({ preview: p }: { preview: Preview }) {
  const near = p.nearest;
  const called = useNamed();
  const { quote } = useSymbols(p.market);
  return (
    <>
      <p>{p.effect}</p>
      <ul class={`consequence ${p.risk}`}>
        <li>
          <b class="num">{plural(p.positions, "position")}</b>
          {p.equity === null ? (
            ", equity in several tokens"
          ) : (
            p.market !== null && (
              <>
                , equity <b class="num">{money(p.equity)}</b> {quote}
              </>
            )
          )}
        </li>
        {near.id !== null && near.distance_bps !== null && (
          <li>
            nearest liquidation: {called(near.id, near.market)},{" "}
            {near.distance_bps === 0 ? (
              <b>reached</b>
            ) : (
              <>
                at a move of <b class="num">{bps(near.distance_bps, 2, true)}</b>
              </>
            )}
            , {num(near.sigma_days, 1)} σ-days away
          </li>
        )}
        <li>
          <b class="num">{num(p.due_now)}</b> due now; <b class="num">{num(p.within_one_sigma_day)}</b> within a usual day’s move of liquidation
        </li>
        {p.in_flight.length > 0 && (
          <li>
            <b class="num">{num(p.in_flight.length)}</b> already sent and not called back: {p.in_flight.map((i) => `${actionWord(i.action)} ${called(i.number, i.market)}`).join(", ")}
          </li>
        )}
        {p.risk === "raises" && (
          <li>
            <b>This raises risk:</b> nobody acts before liquidation.
          </li>
        )}
      </ul>
    </>
  );
}
