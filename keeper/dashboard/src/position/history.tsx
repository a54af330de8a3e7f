// The position through time, with the keeper's actions.
import type { Action, History as Data, Position } from "../contract";
import { Series } from "../charts/series";
import { bps, money, price, tokens } from "../format/number";
import { useRead } from "../live/resource";
import { useSetting } from "../live/setting";
import { now } from "../live/state";
import { RangeButtons } from "../parts/range-buttons";
import { Waiting } from "../parts/waiting";

const RANGES = ["1d", "3d", "30d"] as const;
const DAYS: Record<(typeof RANGES)[number], number> = { "1d": 1, "3d": 3, "30d": 30 };
const OPTIONS = [
  ["1d", "24 h"],
  ["3d", "3 days"],
  ["30d", "30 days"],
] as const;
const STEP = 900;

export function History({ position: p, base, quote, actions }: { position: Position; base: string; quote: string; actions: Action[] }) {
  const [range, choose] = useSetting("history", RANGES, "3d");
  const from = Math.floor((now() - DAYS[range] * 86_400) / STEP) * STEP;
  const read = useRead<Data>(`positions/${p.position}/history?from=${from}`, 15_000);
  return (
    <section class="panel">
      <div class="head">
        <h3>Through time</h3>
        <span class="dim note">▴ keeper’s actions, UTC</span>
        <RangeButtons label="Range of the history" options={OPTIONS} value={range} choose={choose} />
      </div>
      {!read.value ? <Waiting of={read} what="The history" /> : <Multiples data={read.value} p={p} base={base} quote={quote} actions={actions} />}
    </section>
  );
}

interface MultiplesProps {
  data: Data;
  p: Position;
  base: string;
  quote: string;
  actions: Action[];
}

function Multiples({ data, p, base, quote, actions }: MultiplesProps) {
  const column = (name: string) => {
    const at = data.fields.indexOf(name);
    return (row: (number | null)[]) => (at < 0 ? null : (row[at] ?? null));
  };
  const secs = column("secs");
  /** Points are kept every quarter of an hour; the last one is the position as it is read now. */
  const latest = withLive(data, p, actions);
  /** Points where all of these are known. */
  const known = (...names: string[]) => {
    const columns = names.map(column);
    return latest.flatMap((row) => {
      const values = columns.map((of) => of(row));
      const at = secs(row);
      return at !== null && values.every((v): v is number => v !== null) ? [{ at, values: values as number[] }] : [];
    });
  };
  const prices = known("price", "lower", "upper");
  if (data.state === "unknown") return <p class="empty">Unknown: this keeper keeps no history.</p>;
  if (data.rows.length < 3) return <p class="empty">Too young for a history: a point is kept every quarter of an hour.</p>;
  const tolerance = data.tolerance;
  const one = (name: string) => {
    const points = known(name);
    return { secs: points.map((point) => point.at), values: points.map((point) => point.values[0] ?? 0) };
  };
  return (
    <div class="multiples">
      <Series
        title="Price in its band"
        unit={quote}
        secs={prices.map((point) => point.at)}
        values={prices.map((point) => point.values[0] ?? 0)}
        band={prices.map((point) => [point.values[1] ?? 0, point.values[2] ?? 0])}
        text={price}
        actions={actions}
      />
      <Series
        title="Delta"
        unit={base}
        {...one("delta")}
        band={one("delta").secs.map(() => [-tolerance, tolerance])}
        zero
        text={(v) => tokens(v, true)}
        actions={actions}
      />
      <Series
        title="LTV"
        unit=""
        {...one("ltv_bps")}
        levels={[
          { at: p.deleverage_ltv_bps, kind: "trigger" },
          { at: p.maintenance_ltv_bps, kind: "liq" },
        ]}
        axisIn={[100, "%"]}
        text={(v) => bps(v, 1)}
        actions={actions}
      />
      <Series
        title="Equity"
        unit={quote}
        {...one("equity")}
        levels={[{ at: Number(p.entry.equity), kind: "entry" }]}
        text={money}
        actions={actions}
      />
    </div>
  );
}

/** The chain's clock may be before this one: what was kept or done last is not later than now. */
function withLive(data: Data, p: Position, actions: Action[]): (number | null)[][] {
  const at = data.fields.indexOf("secs");
  const newest = data.rows.at(-1)?.[at] ?? 0;
  const live: Record<string, number | null> = {
    secs: Math.max(now(), newest, actions[0]?.secs ?? 0),
    price: p.price,
    lower: p.lower,
    upper: p.upper,
    delta: Number(p.delta),
    ltv_bps: p.ltv_bps,
    leverage_bps: p.leverage_bps,
    equity: Number(p.equity),
  };
  return [...data.rows, data.fields.map((name) => live[name] ?? null)];
}
