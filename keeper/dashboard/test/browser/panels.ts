// Every part of the page that says a number: where it stands, what it is read from, and what it has to say.
import type { Action, Actions, Book, Flags, Funding, History, Lenders, Liquidity, Market, Nearest, Overrides, Position, Positions, Reserve, StateAt, Status } from "../../src/contract";
import { named } from "../../src/format/named";
import { short } from "../../src/format/number";
import { age, clock, date, span } from "../../src/format/time";
import { capital, HEALTH, modeWord, OUTCOMES, stageWord, THRESHOLDS } from "../../src/format/words";
import { type About, part, type Shown } from "./part";
import { joined, type Said, say, type Value } from "./said";
import type { Place } from "./seen";
import type { Visit } from "./visit";

const word = (text: string): Said => say`${text}`;
const each = (values: readonly Value[]): Said[] => values.map((value) => say`${value}`);
const percent = (bps: number | null): number | null => (bps === null ? null : bps / 100);
/** As the API words it: its numbers as numbers, as far as they are shown; a sign and a unit are words. */
const worded = (text: string): Said => {
  const parts = text.split(/(?<![\w.-])(-?\d+(?:\.\d+)?)(?![\w.])/);
  return { words: parts.filter((_, i) => i % 2 === 0), values: parts.filter((_, i) => i % 2 === 1) };
};
/** The API's name of an action, in words. */
const action = (name: string): string => name.split("_").join(" ");
/** What a function of the time may say, within some seconds. */
const about = (now: number, text: (now: number) => string): Value => ({ of: [...new Set([-4, -3, -2, -1, 0, 1, 2, 3, 4].map((s) => text(now + s)))] });
const leverage = (bps: number | null): Said => (bps === null ? say`∞` : say`${bps / 1e4}×`);
const arrow = (near: Nearest): string => (near.side === "upper" ? "↑" : "↓");
const reached = (near: Nearest): boolean => (near.side === "upper" ? near.distance_bps <= 0 : near.distance_bps >= 0);
const when = (now: number, secs: number): Value => ({ of: [now - secs > 86_400 ? date(secs).slice(5) : clock(secs)] });
const outcome = (a: Action): Said => say`${OUTCOMES[a.outcome]} ${a.outcome}${a.error ?? ""}`;

const status = (visit: Visit) => visit.api<Status>("status");
const now = async (visit: Visit) => (await status(visit)).now;

export const header = (of: About) => [
  part("the header's price", (v) => v.api<Market>(`markets/${of.market}`), (m) => [
    { at: { css: ".top .big" }, says: [say`${m.price}`] },
    { at: { css: ".top .cell > .dim:not(.cell-note)" }, says: [word(m.name)] },
  ]),
  part("the header's oracle", (v) => v.api<Market>(`markets/${of.market}`), (m) => [
    { at: { css: ".top .cell-note" }, says: [say`oracle · pool ${m.deviation_bps} bp · ${m.oracle.age_secs} s old`] },
    { at: { css: ".top a.pill[title^='Risk stage']" }, says: [say`Stage ${m.stage} ${stageWord(m.stage)}`] },
  ]),
  part("the header's keeper", async (v) => ({ s: await status(v), f: await v.api<Flags>("flags") }), ({ s, f }) => [
    {
      at: { css: ".top a.pill[title^='When']" },
      says: [
        ((unknown: number) => (unknown > 0 ? say`${s.red_flags.raised} of ${s.red_flags.of} red flags, ${unknown} not judged` : say`${s.red_flags.raised} of ${s.red_flags.of} red flags`))(
          f.flags.filter((one) => one.state === "unknown").length,
        ),
      ],
    },
    { at: { css: ".top .life" }, says: [say`live · slot ${{ from: s.slot - 30, to: s.slot + 30 }}`] },
    { at: { css: ".top .utc" }, says: [say`${about(s.now, clock)} UTC`] },
    { at: { css: ".top .mode" }, says: [word(modeWord(s.keeper.mode))] },
  ]),
];

export const facts = (of: About) =>
  part(
    "the book's figures",
    // What is nearest is so over all markets; sums are those of the market that is shown.
    async (v) => ({ b: await v.api<Book>(`book?market=${of.market}`), top: (await v.api<Positions>("positions?sort=danger&limit=1")).rows[0], s: await status(v) }),
    ({ b, top, s }) => {
      const c = b.contingency;
      const near = top?.nearest ?? null;
      const titled = (text: string) => word(of.many ? `${text}, ${of.name}` : text);
      const { due, blocked, in_flight, waiting } = s.counts;
      const day = b.pnl_day === null ? null : Number(b.pnl_day);
      const buffer = titled(`Buffer for ±${c.gap_bps / 100} %`);
      const both = (inBase: string | null, inQuote: string | null): Said =>
        joined([inBase === null ? say`` : say`${inBase} ${of.base}`, inBase !== null && inQuote !== null ? say` + ` : say``, inQuote === null ? say`` : say`${inQuote} ${of.quote}`]);
      const [needs, has] = [both(c.needed_base, c.needed_quote), both(c.have_base, c.have_quote)];
      const known = (said: Said) => said.values.length > 0;
      return [
        { at: { css: ".page > .facts dt" }, says: [word("Nearest liquidation"), titled("Equity"), titled("Net delta"), titled("Gamma, for 1 %"), titled(`Fees, ${b.fees_day_state}`), buffer, word("Work")] },
        {
          at: { css: ".page > .facts b" },
          says: [
            near === null ? word("none") : reached(near) ? word("reached") : say`${arrow(near)} ${Math.abs(near.distance_bps) / 100} %`,
            ...each([b.equity, b.net_delta, b.gamma_1pct, b.fees_day, c.state]),
            blocked > 0 ? say`${blocked} blocked` : due > 0 ? say`${due} due` : word("nothing due"),
          ],
        },
        { at: { css: ".page > .facts .unit" }, says: [of.quote, of.base, of.base, `${of.quote} a day`].map(word) },
        {
          at: { css: ".page > .facts .sub" },
          says: [
            near === null ? word("no position has a boundary") : say`${named(s.markets, top?.id, top?.market)} · ${near.sigma_days} σ-days`,
            b.unvalued > 0 ? say`without ${b.unvalued} unvalued` : day === null ? word("24 h unknown") : say`24 h ${day} · ${(day / (Number(b.equity) - day)) * 100} %`,
            b.hedge_state === "unknown" ? say`LP ${b.delta} · no perp` : say`LP ${b.delta} · perp ${b.hedge_delta}`,
            say`curvature ${b.curvature_day} a day`,
            Number(b.curvature_day) < 0 ? say`${(Number(b.fees_day) / -Number(b.curvature_day)) * 100} % of curvature` : word(""),
            !known(needs) ? word("") : known(has) ? joined([say`needs `, needs, say`, has `, has]) : joined([say`needs `, needs]),
            say`${due} due · ${in_flight} sent · ${waiting} wait`,
          ],
        },
      ];
    },
  );

/** Those of one market, where that was chosen. */
export const rows = (of: About, only: string | null = null) =>
  part(
    "the book's rows",
    async (v) => ({ p: await v.api<Positions>(`positions?sort=danger&offset=0&limit=100${only ? `&market=${only}` : ""}`), s: await status(v) }),
    ({ p, s }) => {
      const base = (market: string) => s.markets.find((m) => m.market === market)?.base ?? "?";
      const cell = (css: string, says: Said[]): Shown => ({ at: { css: `.book tbody tr:not(.space) > ${css}` }, says, some: true });
      return [
        { at: { css: ".book h2 .num" }, says: [say`${p.total}`] },
        cell("th", p.rows.map((r) => say`#${r.id} ${of.many && !only ? `${base(r.market)} ` : ""}${r.label ?? r.position.slice(0, 4)}`)),
        cell(".near", p.rows.map(({ nearest: n }) => (n === null ? word("none") : reached(n) ? word("reached") : say`${arrow(n)} ${Math.abs(n.distance_bps) / 100}`))),
        cell(".c-ltv", p.rows.map((r) => say`${r.ltv_bps / 100}`)),
        cell(".c-leverage", p.rows.map((r) => leverage(r.leverage_bps))),
        cell(".c-delta", p.rows.map((r) => (of.many && !only ? say`${r.delta} ${base(r.market)}` : say`${r.delta}`))),
        cell(".c-equity", p.rows.map((r) => say`${r.equity}`)),
        cell(
          ".next",
          p.rows.map(({ next: { below, above }, price }) => {
            const [first] = [below, above].filter((n) => n !== null).sort((a, b) => Math.abs(a.price / price - 1) - Math.abs(b.price / price - 1));
            return first ? say`${action(first.action)} ${(first.price / price - 1) * 100} %` : word("");
          }),
        ),
      ];
    },
  );

export const position = (of: About) => [
  part("the position's head and figures", (v) => v.api<Position>(`positions/${of.position}`), (p) => {
    const opened = Number(p.entry.equity);
    return [
      { at: { css: ".title h2" }, says: [say`#${p.id} ${p.label ?? ""}`] },
      { at: { css: ".title .mono" }, says: [word(short(p.position))] },
      { at: { css: ".title > .dim" }, says: [say`${of.name} ${p.lower} to ${p.upper} ${p.in_range ? "in range" : "out of range"}`] },
      { at: { css: ".sentence" }, says: [word(p.sentence)] },
      { at: { css: ".figures dt" }, says: ["Equity", "LTV", "Leverage", "Delta", "Gamma, for 1 %", "Fees waiting"].map(word) },
      {
        at: { css: ".figures b" },
        says: [say`${p.equity}`, say`${p.ltv_bps / 100} %`, leverage(p.leverage_bps), say`${p.delta}`, say`${p.gamma_1pct}`, p.fees_waiting === null ? word("unknown") : say`${p.fees_waiting}`],
      },
      { at: { css: ".figures .unit" }, says: [of.quote, of.base, of.base, ...(p.fees_waiting === null ? [] : [of.quote])].map(word) },
      {
        at: { css: ".figures .sub" },
        says: [
          opened > 0 ? say`PnL ${(Number(p.pnl_total) / opened) * 100} %` : word(""),
          say`deleverage at ${p.deleverage_ltv_bps / 100} %`,
          p.entry.leverage_bps === null ? word("at opening unknown") : say`opened at ${p.entry.leverage_bps / 1e4}×`,
          say`±${p.hedge_tolerance} is left alone`,
          Number(p.gamma) === 0 ? word("out of its band") : say`curvature ${p.curvature_day} a day`,
          p.unwind.cost === null ? word("too thin to unwind") : say`unwinding costs ${p.unwind.cost}`,
        ],
      },
      { at: { css: ".curve-panel .readout .key:last-child" }, says: [say`price ${p.price}`] },
    ];
  }),
  part("the ladder", (v) => v.api<Position>(`positions/${of.position}`), (p) => {
    const rungs: [at: number, what: string, isReached: boolean][] = [
      [p.upper, "band, upper end", false],
      [p.lower, "band, lower end", false],
      [p.price, "price now", false],
      ...p.thresholds.flatMap((t): [number, string, boolean][] => [
        ...(t.above === null ? [] : [[t.above, THRESHOLDS[t.threshold], !t.quiet && p.price >= t.above] as [number, string, boolean]]),
        ...(t.below === null ? [] : [[t.below, THRESHOLDS[t.threshold], !t.quiet && p.price <= t.below] as [number, string, boolean]]),
      ]),
    ];
    rungs.sort((a, b) => b[0] - a[0]);
    const says = rungs.flatMap(([at, what, isReached]) => [say`${at}`, what === "price now" ? word("") : say`${(at / p.price - 1) * 100}`, word(what + (isReached ? " (reached)" : ""))]);
    return [{ at: { css: ".ladder tbody tr > *" }, says }];
  }),
  part("what if", (v) => v.api<Position>(`positions/${of.position}`), (p) => {
    const state = (s: StateAt): Said[] => [say`${s.equity} ${(Number(s.equity) / Number(p.equity) - 1) * 100} %`, say`${s.ltv_bps / 100}${HEALTH[s.state]}`];
    const nobody = p.what_if.every((w) => w.kept === null);
    const says = p.what_if.flatMap((w, i) => [
      say`${w.move_bps / 100}`,
      say`${w.price}`,
      ...state(w.gap),
      ...(w.kept ? [...state(w.kept), say`${w.kept.actions}`] : nobody ? (i > 0 ? [] : [word(p.keepers_allowed ? "Nobody: the position is paused or the keeper halted." : "Nobody: the owner has switched keepers off.")]) : [word("")]),
    ]);
    return [{ at: { css: ".whatif tbody tr > *" }, says }];
  }),
  part("profit and loss", async (v) => ({ p: await v.api<Position>(`positions/${of.position}`), t: await now(v) }), ({ p, t }) => {
    const named = [["Fees", p.pnl.fees], ["Interest", p.pnl.interest], ["Hedge drift", p.pnl.drift], ["Curvature", p.pnl.curvature], ["Swaps, gas", p.pnl.costs]] as const;
    const opened = Number(p.entry.equity);
    const since = p.pnl_observed_from_secs;
    const panel = "PnL since opening";
    const fine = p.pnl.state !== "known" ? ["How it divides is unknown: nobody has kept the sums of this position."] : since && since > p.entry.secs ? [`The split is known since ${date(since)} UTC; what happened before is in the hedge drift.`] : [];
    return [
      { at: { panel, css: ".note" }, says: [say`${of.quote}, ${about(t, (at) => age(at - p.entry.secs))}`] },
      {
        at: { panel, css: ".pnl tr > *" },
        says: [
          ...(p.pnl.state === "known" ? named.flatMap(([name, amount]) => [word(name), say`${amount ?? null}`, word("")]) : []),
          ...[word("Total"), say`${p.pnl_total}`, opened > 0 ? say`${(Number(p.pnl_total) / opened) * 100} %` : word("")],
        ],
      },
      { at: { panel, css: ".fine" }, says: fine.map(word) },
    ];
  }),
  // What is told as now is the position as it is, not the newest point that was kept.
  part("through time", async (v) => ({ h: await v.api<History>(`positions/${of.position}/history?from=${Math.floor((await now(v)) - 3 * 86_400)}`), p: await v.api<Position>(`positions/${of.position}`) }), ({ h, p }) => {
    const young = h.state === "unknown" || h.rows.length < 3;
    return [
      {
        at: { panel: "Through time", css: ".series figcaption" },
        says: young ? [] : [say`Price in its band, ${of.quote}${p.price}now`, say`Delta, ${of.base}${p.delta}now`, say`LTV${percent(p.ltv_bps)} %now`, say`Equity, ${of.quote}${p.equity}now`],
      },
    ];
  }),
  part("the position's actions", async (v) => ({ a: await v.api<Actions>(`actions?position=${of.position}&limit=20`), t: await now(v) }), ({ a, t }) => {
    const says = a.rows.flatMap((one) => [
      say`${when(t, one.secs)}`,
      word(action(one.action)),
      word(one.reason),
      one.after ? say`${one.before.ltv_bps / 100} → ${one.after.ltv_bps / 100}` : word("–"),
      say`${one.cost}`,
      outcome(one),
    ]);
    return [{ at: { css: ".actions tbody tr > *" }, says }];
  }),
];

export const flags = () =>
  part("red flags", async (v) => ({ f: await v.api<Flags>("flags"), s: await status(v) }), ({ f, s }) => {
    const signs = { raised: "▲", quiet: "○", unknown: "?" };
    const says = f.flags.flatMap((one) => [
      word(signs[one.state]),
      one.state === "raised" && one.since_secs !== null ? say`${one.label} for ${about(s.now, (at) => span(at - (one.since_secs ?? 0)))}` : word(one.label),
      worded(one.value),
      worded(one.threshold),
    ]);
    return [
      { at: { panel: "Red flags", css: ".note" }, says: [say`${s.red_flags.reduce_at} raised: the keeper reduces`] },
      { at: { panel: "Red flags", css: "tbody tr > *" }, says },
    ];
  });

export const pool = (of: About) =>
  part("the pool", async (v) => {
    const p = of.position === null ? null : await v.api<Position>(`positions/${of.position}`);
    const mine = p?.market === of.market ? p : null;
    return { l: await v.api<Liquidity>(`markets/${of.market}/liquidity${mine ? `?position=${mine.position}` : ""}`), mine };
  }, ({ l, mine }) => {
    const panel = "Pool liquidity";
    const [from = 1, to = 1] = l.bins[0] ?? [];
    const keys = [word("pool"), say`book ${l.share_bps.book / 100} %`, ...(mine ? [say`#${mine.id} ${l.share_bps.position / 100} %`] : [])];
    return [
      { at: { panel, css: ".readout .key" }, says: l.price === null ? [] : keys },
      { at: { panel, css: ".readout .dim" }, says: l.price === null ? [] : [say`${l.unit} in each ${(to / from - 1) * 100} % of price`] },
      { at: { panel, css: ".depth th.num" }, says: l.depth.map((d) => say`${d.move_bps / 100}`) },
      { at: { panel, css: ".depth td.num" }, says: each(l.depth.map((d) => d.value)) },
    ];
  });

export const funding = (of: About) =>
  part("funding", (v) => v.api<Funding>(`markets/${of.market}/funding`), (f) => {
    const known = f.state === "known";
    const latest = f.past.at(-1);
    return [
      { at: { panel: "Funding", css: "h3" }, says: [word(`Funding ${f.instrument ?? ""}`)] },
      { at: { panel: "Funding", css: ".note" }, says: latest ? [say`${latest[1] * 100} % a year`] : [] },
      { at: { panel: "Funding", css: ".fine" }, says: known ? [say`${capital(f.venue ?? "")}: the hedge holds ${f.position_base} ${of.base}. Forecast: ${f.forecast_note}.`] : [] },
    ];
  });

export const reserves = (of: About) =>
  part("lending", async (v) => (await v.api<Market>(`markets/${of.market}`)).reserves, (all) => {
    const lost = all.filter((r) => Number(r.bad_debt) > 0);
    const [first, second] = lost;
    const after = " Insurance is spent before lenders lose.";
    const fine = !first ? word(`No bad debt was ever booked.${after}`) : second ? say`Bad debt booked: ${first.bad_debt} ${first.token}, ${second.bad_debt} ${second.token}.${after}` : say`Bad debt booked: ${first.bad_debt} ${first.token}.${after}`;
    return [
      { at: { panel: "Lending", css: "tbody tr > *" }, says: all.flatMap((r) => each([r.token, r.available, r.utilisation_bps / 100, r.borrow_rate_bps / 100, r.supply_rate_bps / 100, r.insurance])) },
      { at: { panel: "Lending", css: ".fine" }, says: [fine] },
    ];
  });

export const gap = (of: About) =>
  part("the book under a gap", (v) => v.api<Book>(`book?market=${of.market}`), (b) => {
    const says = b.what_if
      .filter((w) => w.move_bps !== 0)
      .flatMap((w) => [say`${w.move_bps / 100}`, say`${w.equity_gap}`, say`${(Number(w.equity_gap) / Number(b.equity) - 1) * 100} %`, say`${w.positions_above_trigger_gap}`, say`${w.positions_liquidated_gap}`]);
    return [{ at: { panel: "Book, if the price jumps", css: "tbody tr > *" }, says }];
  });

export const feed = () =>
  part("the newest actions", async (v) => ({ a: await v.api<Actions>("actions?limit=12"), s: await v.api<Status>("status"), t: await now(v) }), ({ a, s, t }) => [
    {
      at: { panel: "Latest actions", css: "li" },
      says: a.rows.map((one) => say`${when(t, one.secs)}${one.number === null ? "market" : named(s.markets, one.number, one.market)} ${action(one.action)} ${OUTCOMES[one.outcome]} ${one.outcome}${one.error ?? ""}${one.reason}`),
    },
  ]);

export const overrides = () =>
  part("overrides", async (v) => ({ o: await v.api<Overrides>("overrides"), s: await v.api<Status>("status"), t: await now(v) }), ({ o, s, t }) => [
    { at: { panel: "Overrides", css: "li" }, says: o.rows.slice(0, 8).map((one) => say`${when(t, one.secs)}${one.mode} ${one.scope === "keeper" ? "the keeper" : named(s.markets, one.number, one.market)} by ${one.by}${one.note}`) },
  ]);

export const markets = () =>
  part("all markets", status, (s) => [
    {
      at: { css: ".pick tbody tr > *" },
      says: s.markets.flatMap((m) => [word(m.name), say`${m.price}`, say`${m.price !== null && m.pool_price !== null ? (m.pool_price / m.price - 1) * 1e4 : null}`, say`${m.positions}`, say`${m.stage} ${stageWord(m.stage)}`]),
    },
  ]);

export const stage = (of: About) =>
  part("the stage", (v) => v.api<Market>(`markets/${of.market}`), (m) => [
    { at: { panel: "Stage", css: "h3" }, says: [say`Stage ${m.stage}: ${stageWord(m.stage)}`] },
    { at: { panel: "Stage", css: "tbody td" }, says: m.stage_evidence.flatMap((e) => [worded(e.value), e.raises_at === null ? word("off") : worded(e.raises_at)]) },
    {
      at: { panel: "Stage", css: ".fine" },
      says: [
        say`Oracle ${m.price === null ? "without a price" : `${span(m.oracle.age_secs)} old`}, confidence ±${m.oracle.confidence_bps} bp, ${m.oracle.ema_divergence_bps} bp from its average. Pool ${m.deviation_bps} bp from the oracle, of ${m.max_deviation_bps} allowed. A usual day: ±${m.sigma_day * 100} %, ${m.sigma_state}.`,
      ],
    },
    { at: { panel: m.name, css: ".pairs dd" }, says: [word(short(m.market)), word(short(m.pool)), say`${m.price}`, say`${m.pool_price}`] },
  ]);

export const hedge = (of: About) =>
  part("the hedge", async (v) => ({ h: (await v.api<Book>(`book?market=${of.market}`)).hedge_pnl, t: await now(v) }), ({ h, t }) => {
    const panel = "PnL of the hedge";
    const parts = h === null ? [] : ([["Price", h.price], ["Venue’s fees", h.fees], ["Funding", h.funding], ["Total", h.total]] as const);
    return [
      { at: { panel, css: ".note" }, says: h === null ? [] : [say`${of.quote}, ${about(t, (at) => age(at - h.observed_from_secs))}`] },
      { at: { panel, css: ".pnl tr > *" }, says: parts.flatMap(([name, amount]) => [word(name), say`${amount}`, word("")]) },
      { at: { panel, css: ".fine" }, says: h === null ? [] : [word(`Of the perpetual, since ${date(h.observed_from_secs)} UTC. No position’s PnL holds it.`)] },
    ];
  });

export const lenders = (of: About) => [
  part("what lenders earn", (v) => v.api<Lenders>(`markets/${of.market}/lenders`), (l) => {
    const day = l.near.find((n) => n.sigma_days === 1);
    const worst = [...l.gaps].sort((a, b) => Number(b.lenders_lose_value) - Number(a.lenders_lose_value))[0];
    const loss = Number(worst?.lenders_lose_value ?? 0);
    const of_ = (amount: (r: Reserve) => string) => l.reserves.filter((r) => Number(amount(r)) > 0);
    const [lost, seen] = [of_((r) => r.bad_debt), of_((r) => r.shown_loss)];
    const [bad] = lost;
    const [waits] = seen;
    const lent = (r: Reserve) => (Number(r.borrowed) > 0 ? (Number(r.insurance) / Number(r.borrowed)) * 100 : null);
    return [
      { at: { css: ".lender-facts dt" }, says: [...l.reserves.map((r) => `Lending ${r.token} earns`), "Within one σ-day", "Worst gap shown", "Bad debt ever"].map(word) },
      {
        at: { css: ".lender-facts b" },
        says: [
          ...l.reserves.map((r) => say`${r.supply_rate_bps / 100} %`),
          say`${day ? day.share_bps / 100 : null} %`,
          loss > 0 ? say`${-loss}` : word("no loss"),
          !bad ? word("none") : lost[1] ? say`${bad.bad_debt} + ${lost[1].bad_debt}` : say`${bad.bad_debt}`,
        ],
      },
      { at: { css: ".lender-facts .unit" }, says: [...l.reserves.map(() => "a year"), "of what is lent", ...(loss > 0 ? [of.quote] : []), ...(bad ? [lost.map((r) => r.token).join(", ")] : [])].map(word) },
      {
        at: { css: ".lender-facts .sub" },
        says: [
          ...l.reserves.map((r) => say`${r.utilisation_bps / 100} % is lent · ${r.available} free`),
          say`${day?.debt_value ?? null} ${of.quote} · ${day?.positions ?? null} position${day?.positions === 1 ? "" : "s"}`,
          loss > 0 ? say`at ${percent(worst?.move_bps ?? null)} %` : word("insurance and equity carry them all"),
          !waits ? word("nor any seen that waits to be booked") : seen[1] ? say`seen, not booked yet: ${waits.shown_loss} ${waits.token}, ${seen[1].shown_loss} ${seen[1].token}` : say`seen, not booked yet: ${waits.shown_loss} ${waits.token}`,
        ],
      },
      {
        at: { panel: "Reserves", css: "tbody tr > *" },
        says: l.reserves.flatMap((r) =>
          each([r.token, r.supplied, r.borrowed, r.available, r.utilisation_bps / 100, r.borrow_rate_bps / 100, r.supply_rate_bps / 100, r.share_price, r.insurance, lent(r), r.bad_debt]),
        ),
      },
    ];
  }),
  part("what lenders may lose", (v) => v.api<Lenders>(`markets/${of.market}/lenders`), (l) => [
    { at: { panel: "Lent near liquidation", css: ".note" }, says: [say`σ is ${l.sigma_day * 100} % a day`] },
    {
      at: { panel: "Lent near liquidation", css: "tbody tr > *" },
      says: l.near.flatMap((n) => [say`${n.sigma_days} σ-day${n.sigma_days === 1 ? "" : "s"}`, ...each([n.positions, n.debt_base, n.debt_quote, n.debt_value, n.share_bps / 100])]),
    },
    {
      at: { panel: "If the price jumps", css: "tbody tr > *" },
      says: l.gaps.flatMap((g) => [
        ...each([g.move_bps / 100, g.price, g.positions_liquidated, g.positions_insolvent, g.shortfall_value]),
        Number(g.lenders_lose_value) > 0 ? say`${g.lenders_lose_value} ${g.lenders_lose_bps / 100} % of supplied` : say`${g.lenders_lose_value}`,
      ]),
    },
  ]),
];

/** What stands on a button or in a head, and is no number of the keeper's. */
export const CONSTANT: Place[] = [{ css: ".seg button, nav, kbd" }];
