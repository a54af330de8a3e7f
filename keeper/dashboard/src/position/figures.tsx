// The position's state in figures.
import type { Position } from "../contract";
import { bps, money, percent, times, tokens } from "../format/number";
import { date } from "../format/time";
import { Meter, Signed } from "../parts/bar";
import { Fact } from "../parts/fact";

const BPS = 10_000;

export function Figures({ position: p, base, quote }: { position: Position; base: string; quote: string }) {
  const opened = Number(p.entry.equity);
  const trigger = p.deleverage_ltv_bps;
  const maintenance = p.maintenance_ltv_bps;
  const tolerance = Number(p.hedge_tolerance);
  const error = Number(p.hedge_error);
  return (
    <dl class="facts figures">
      <Fact
        name="Equity"
        value={money(p.equity)}
        unit={quote}
        sub={opened > 0 ? `PnL ${percent(Number(p.pnl_total) / opened, 2, true)}` : ""}
        title={`Opened ${date(p.entry.secs)} UTC with ${money(p.entry.equity)} ${quote}`}
      />
      <Fact
        name="LTV"
        value={bps(p.ltv_bps)}
        sub={
          <>
            <Meter
              value={p.ltv_bps / BPS}
              marks={[
                { kind: "trigger", at: trigger / BPS },
                { kind: "liq", at: maintenance / BPS },
              ]}
              label={`Deleverage at ${bps(trigger, 0)}, liquidation at ${bps(maintenance, 0)}`}
            />
            <span class="w-word">deleverage at </span>
            {bps(trigger, 0)}
          </>
        }
        title={`Debt as a part of assets. Deleverage at ${bps(trigger, 0)}, liquidation at ${bps(maintenance, 0)}`}
      />
      <Fact name="Leverage" value={times(p.leverage_bps)} sub={p.entry.leverage_bps === null ? "at opening unknown" : `opened at ${times(p.entry.leverage_bps)}`} title="Assets as a multiple of equity" />
      <Fact
        name="Delta"
        value={tokens(p.delta, true)}
        unit={base}
        sub={
          <>
            <Signed part={tolerance > 0 ? error / tolerance : 0} label={tolerance > 0 ? `${percent(Math.abs(error) / tolerance, 0)} of what is tolerated` : "nothing is tolerated"} />±
            {tokens(tolerance)}
            <span class="w-word"> is left alone</span>
          </>
        }
        title={`Hedge error ${tokens(p.hedge_error, true)} ${base}, against what the policy tolerates`}
      />
      <Fact
        name="Gamma, for 1 %"
        value={tokens(p.gamma_1pct, true)}
        unit={base}
        sub={Number(p.gamma) === 0 ? "out of its band" : `curvature ${money(p.curvature_day, true)} a day`}
        title="How delta changes when the price rises by one percent, and what that costs a day at the measured volatility. Out of its band a position has neither gamma nor fees."
      />
      <Fact
        name="Fees waiting"
        value={p.fees_waiting === null ? "unknown" : money(p.fees_waiting)}
        unit={p.fees_waiting === null ? "" : quote}
        sub={p.unwind.cost === null ? "too thin to unwind" : `unwinding costs ${money(p.unwind.cost)}`}
        title={`Fees that the pool still holds. Unwinding at today’s depth swaps ${tokens(p.unwind.swap_base, true)} ${base}`}
      />
    </dl>
  );
}
