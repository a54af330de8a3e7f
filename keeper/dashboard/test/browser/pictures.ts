// Every picture of the page against what the API answers: each point of each line, each mark, each band, and the axes' texts.
import { bent } from "../../src/charts/scale";
import type { Actions, Funding, History, Liquidity, Position, Positions, Row } from "../../src/contract";
import { clock, date, day } from "../../src/format/time";
import { THRESHOLD_LABELS } from "../../src/format/words";
import { type Drawing, draw, Reading } from "./drawn";
import type { About, Part } from "./part";
import { joined, type Said, say } from "./said";
import type { Place } from "./seen";
import type { Visit } from "./visit";

/** Like `part`, of pictures. `compare` is told the place of each of several. */
function pictures<T>(what: string, at: Place, read: (visit: Visit) => Promise<T>, compare: (drawn: Drawing[], answer: T) => string[]): (visit: Visit) => Promise<Part> {
  return async () => ({
    what,
    places: [at],
    compare: async (visit) => {
      const before = await read(visit);
      const drawn = await draw(visit.page, at);
      const after = await read(visit);
      const tried = [before, after].map((answer) => compare(drawn, answer));
      return tried.find((found) => found.length === 0) ?? tried[1] ?? [];
    },
  });
}

function one(what: string, [drawing, ...more]: Drawing[], compare: (r: Reading) => void): string[] {
  if (!drawing || more.length > 0) return [`${what}: ${more.length + (drawing ? 1 : 0)} are drawn, one is expected`];
  const reading = new Reading(what, drawing);
  compare(reading);
  return reading.done();
}

const clamp = (value: number, [low, high]: readonly [number, number]) => Math.min(Math.max(value, low), high);
const number = (value: number): Said => say`${value}`;
const time = (secs: number): Said => say`${{ of: [day(secs), clock(secs, false)] }}`;

export const equityCurve = (of: About, zoom: "all" | "band") =>
  pictures(`the equity curve, ${zoom}`, { css: ".curve-panel .chart svg" }, (v) => v.api<Position>(`positions/${of.position}`), (drawn, p) =>
    one("equity curve", drawn, (r) => {
      const [low, high] = r.domain;
      const shown = p.curve.filter((c) => c.price >= low && c.price <= high);
      if (zoom === "all") {
        r.holds(shown.length === p.curve.length, `${p.curve.length - shown.length} points lie outside`);
        // Farther away than these, a boundary would press everything else together.
        for (const at of [p.liquidation_lower, p.liquidation_upper])
          if (at !== null && at > 0.22 * p.price && at < 2.8 * p.price) r.holds(low < at && at < high, `the boundary ${at} is not between ${low} and ${high}`);
      }
      else r.holds(low < p.lower && high > p.upper, `${low} to ${high} does not hold the band`);
      const line = (points: typeof shown, value: (c: (typeof shown)[number]) => number) => (points.length > 1 ? points.map((c) => [c.price, value(c)] as const) : null);
      r.values("path.curve", line(shown, (c) => c.equity));
      r.values("path.curve.in", line(shown.filter((c) => c.price >= p.lower * (1 - 1e-9) && c.price <= p.upper * (1 + 1e-9)), (c) => c.equity));
      r.values("path.ghost", line(shown.filter((c) => c.as_opened !== null), (c) => c.as_opened ?? NaN));
      const box = (from: number, to: number) => [[r.x(clamp(from, r.domain)), NaN], [r.x(clamp(to, r.domain)), NaN]] as const;
      r.pixels("rect.z-band", box(p.lower, p.upper));
      r.each("rect.z-liq", [
        ...(p.liquidation_lower !== null && p.liquidation_lower > low ? [box(low, p.liquidation_lower)] : []),
        ...(p.liquidation_upper !== null && p.liquidation_upper < high ? [box(p.liquidation_upper, high)] : []),
      ]);
      const opened = Number(p.entry.equity);
      const [floor, ceiling] = r.range;
      r.pixels("line.entry", opened > floor && opened < ceiling ? [[NaN, r.y(opened)], [NaN, r.y(opened)]] : null);
      for (const { threshold, below, above } of p.thresholds) {
        const at = [below, above].filter((price) => price !== null && price > low && price < high).sort((a, b) => (a ?? 0) - (b ?? 0)) as number[];
        const lines = `g.mark.m-${threshold} > line`;
        r.each(lines, at.map((price) => [[r.x(price), NaN], [r.x(price), NaN]] as const));
        const texts = r.take(`g.mark.m-${threshold} > text`);
        // Side by side they have one in common.
        r.holds(at.length === 0 ? texts.length === 0 : texts.length >= 1 && texts.length <= at.length, `${texts.length} texts at ${at.length} marks of ${threshold}`);
        for (const text of texts) r.says(text.text, say`${THRESHOLD_LABELS[threshold]}`);
      }
      r.vertical("line.now", p.price);
      r.values("circle.now-dot", [[p.price, Number(p.equity)]]);
      r.axes(number, number);
      const side = (at: number | null, word: string) => (at === null ? say`not ${word}` : say`${word} ${at}`);
      const [below, above] = [side(p.liquidation_lower, "below"), side(p.liquidation_upper, "above")];
      r.aloud(joined([say`Equity against price. Now ${p.equity} at ${p.price}. Band ${p.lower} to ${p.upper}. Liquidation `, below, say`, `, above, say`. Arrow keys read the curve.`]));
    }),
  );

const STEP = 900;
/** What the page asks for. */
export const since = (now_secs: number, days: number) => Math.floor((now_secs - days * 86_400) / STEP) * STEP;

interface Past {
  h: History;
  p: Position;
  a: Actions;
  now: number;
}
interface Line {
  title: string;
  field: string;
  tick: (value: number) => Said;
  said: (value: number) => Said;
  band?: (row: Record<string, number>, h: History) => readonly [low: number, high: number];
  levels?: (p: Position) => readonly (readonly [kind: string, at: number])[];
}
const percent = (bps: number): Said => say`${bps / 100} %`;
const LINES: readonly Line[] = [
  { title: "Price in its band", field: "price", tick: number, said: number, band: ({ lower = NaN, upper = NaN }) => [lower, upper] },
  { title: "Delta", field: "delta", tick: number, said: number, band: (_, h) => [-h.tolerance, h.tolerance] },
  { title: "LTV", field: "ltv_bps", tick: (v) => say`${v / 100}%`, said: percent, levels: (p) => [["trigger", p.deleverage_ltv_bps], ["liq", p.maintenance_ltv_bps]] },
  { title: "Equity", field: "equity", tick: number, said: number, levels: (p) => [["entry", Number(p.entry.equity)]] },
];

/** A position through time: nothing is drawn before there are three points. */
export const throughTime = (of: About, days: number) =>
  pictures<Past>(
    `${days} days of the position`,
    { panel: "Through time", css: "svg" },
    async (v) => {
      const { now } = await v.api<{ now: number }>("status");
      const [h, p, a] = await Promise.all([
        v.api<History>(`positions/${of.position}/history?from=${since(now, days)}`),
        v.api<Position>(`positions/${of.position}`),
        v.api<Actions>(`actions?position=${of.position}&limit=20`),
      ]);
      return { h, p, a, now };
    },
    (drawn, past) => {
      const young = past.h.state === "unknown" || past.h.rows.length < 3;
      const expected = young ? [] : LINES;
      if (drawn.length !== expected.length) return [`through time: ${drawn.length} pictures, ${expected.length} expected`];
      return expected.flatMap((line, i) => one(line.title, drawn.slice(i, i + 1), (r) => series(r, line, past)));
    },
  );

/** The page's own clock goes on between two looks. */
const CLOCK_SECS = 6;

function series(r: Reading, line: Line, { h, p, a, now: asked }: Past): void {
  const rows = h.rows
    .map((row) => Object.fromEntries(h.fields.flatMap((name, i) => (row[i] === null || row[i] === undefined ? [] : [[name, row[i]]]))) as Record<string, number>)
    .filter((row) => row[line.field] !== undefined);
  const at = (row: Record<string, number>) => row.secs ?? NaN;
  const value = (row: Record<string, number>) => row[line.field] ?? NaN;
  const first = rows[0];
  if (!first) return r.holds(false, "no points are answered");
  // The last point is the position as it is now. The chain's clock may be before the keeper's.
  const newest = Math.max(asked, ...rows.map(at), ...a.rows.map((one) => one.secs));
  const end = r.domain[1];
  const last: Record<string, number> = { secs: end, price: p.price, lower: p.lower, upper: p.upper, delta: Number(p.delta), ltv_bps: p.ltv_bps, equity: Number(p.equity) };
  rows.push(last);
  r.holds(r.domain[0] === at(first) && Math.abs(end - newest) <= CLOCK_SECS, `it goes from ${r.domain[0]} to ${end}, the answer from ${at(first)} to ${newest}`);
  r.values("path.curve.thin", rows.map((row) => [at(row), value(row)] as const));
  const band = line.band;
  r.values("path.z-band", band ? [...rows.map((row) => [at(row), band(row, h)[1]] as const), ...[...rows].reverse().map((row) => [at(row), band(row, h)[0]] as const)] : null);
  for (const [kind, level] of line.levels?.(p) ?? []) {
    const within = level > r.range[0] && level < r.range[1];
    r.pixels(`line.level.${kind}`, within ? [[NaN, r.y(level)], [NaN, r.y(level)]] : null);
  }
  const acted = a.rows.filter((one) => one.secs >= at(first));
  for (const outcome of new Set(acted.map((one) => one.outcome))) {
    const these = acted.filter((one) => one.outcome === outcome);
    r.each(`path.act.a-${outcome}`, these.map((one) => [[r.x(one.secs), NaN]] as const));
  }
  r.axes(time, line.tick);
  const values = rows.map(value);
  const [now, low, high] = [value(last), Math.min(...values), Math.max(...values)].map(line.said) as [Said, Said, Said];
  r.aloud(joined([say`${line.title} over ${(at(last) - at(first)) / 3600} hours: now `, now, say`, lowest `, low, say`, highest `, high, say`. Arrow keys read it.`]));
}

/** Both sides of the price. */
const REACH = 0.16;

export const poolLiquidity = (of: About) =>
  pictures(
    "the pool's liquidity",
    { panel: "Pool liquidity", css: ".chart svg" },
    async (v) => {
      const p = of.position === null ? null : await v.api<Position>(`positions/${of.position}`);
      const mine = p?.market === of.market ? p : null;
      return { l: await v.api<Liquidity>(`markets/${of.market}/liquidity${mine ? `?position=${mine.position}` : ""}`), mine };
    },
    (drawn, { l, mine }) => {
      const now = l.price;
      if (now === null) return drawn.length === 0 ? [] : ["liquidity: it is drawn around no price"];
      return one("liquidity", drawn, (r) => {
        const bins = l.bins.filter(([from, to]) => to > now * (1 - REACH) && from < now * (1 + REACH));
        const [low, high] = r.domain;
        r.holds(low === bins[0]?.[0] && high === bins.at(-1)?.[1], `it goes from ${low} to ${high}, the bins from ${bins[0]?.[0]} to ${bins.at(-1)?.[1]}`);
        const most = Math.max(...bins.map((bin) => bin[2]));
        r.holds(r.range[0] === 0 && r.range[1] >= most, `it goes up to ${r.range[1]}, the bins to ${most}`);
        for (const [kind, which] of [["l-pool", 2], ["l-book", 3], ["l-one", 4]] as const) {
          const boxes = bins.filter((bin) => bin[which] > 0).map((bin) => [[r.x(bin[0]), r.y(bin[which])], [r.x(bin[1]), r.y(0)]] as const);
          // A gap is left between two, and the least is still seen.
          r.each(`rect.${kind}`, boxes, 0.61);
        }
        r.vertical("line.now", now);
        const inside = mine !== null && mine.upper > low && mine.lower < high ? mine : null;
        const ends = inside ? [inside.lower, inside.upper].filter((end) => end > low && end < high) : [];
        const whole = inside ? [[[r.x(clamp(inside.lower, r.domain)), NaN], [r.x(clamp(inside.upper, r.domain)), NaN]] as const] : [];
        r.each("g.bracket > line", [...whole, ...ends.map((end) => [[r.x(end), NaN], [r.x(end), NaN]] as const)]);
        r.axes(number, number);
        const share = mine ? say`, position ${mine.id} ${l.share_bps.position / 100} %` : say``;
        r.aloud(joined([say`Liquidity of the pool around ${now}. At the price the book holds ${l.share_bps.book / 100} % of it`, share, say`. Arrow keys read it.`]));
      });
    },
  );

export const fundingRates = (of: About) =>
  pictures("funding", { panel: "Funding", css: ".chart svg" }, (v) => v.api<Funding>(`markets/${of.market}/funding`), (drawn, f) => {
    const latest = f.past.at(-1);
    if (f.state === "unknown" || !latest) return drawn.length === 0 ? [] : ["funding: it is drawn, and not known"];
    return one("funding", drawn, (r) => {
      const end = f.forecast.at(-1)?.[0] ?? latest[0];
      r.holds(r.domain[0] === f.past[0]?.[0] && r.domain[1] === end, `it goes from ${r.domain[0]} to ${r.domain[1]}, the rates from ${f.past[0]?.[0]} to ${end}`);
      r.values("path.curve.thin", f.past);
      const coming = f.forecast.length > 0;
      r.values("path.ghost", coming ? [latest, ...f.forecast.map(([at, mean]) => [at, mean] as const)] : null);
      const [lows, highs] = [[latest, ...f.forecast.map(([at, , low]) => [at, low] as const)], [latest, ...f.forecast.map(([at, , , high]) => [at, high] as const)]];
      r.values("path.fan", coming ? [...highs, ...lows.reverse()] : null);
      r.vertical("line.now", latest[0]);
      r.axes(time, (rate) => say`${rate * 100}%`);
      const farthest = f.forecast.at(-1);
      const expected = farthest ? say`, expected at ${date(farthest[0])} ${farthest[1] * 100} %` : say``;
      r.aloud(joined([say`Funding of ${f.instrument ?? ""}, a year: now ${latest[1] * 100} %`, expected, say`. Arrow keys read it.`]));
    });
  });

/** Each row as a picture. */
export const strips = (only: string | null = null) =>
  pictures("the rows' pictures", { css: ".book tbody tr:not(.space) svg.strip" }, (v) => v.api<Positions>(`positions?sort=danger&offset=0&limit=100${only ? `&market=${only}` : ""}`), (drawn, { rows }) => {
    if (drawn.length === 0 || drawn.length > rows.length) return [`strips: ${drawn.length} are drawn, of ${rows.length}`];
    return drawn.flatMap((drawing, i) => strip(new Reading(`the strip of #${rows[i]?.id}`, drawing), drawing.width, rows[i] as Row));
  });

function strip(r: Reading, width: number, row: Row): string[] {
  const x = (at: number) => (width / 2) * (1 + bent(Math.log(at / row.price)));
  const box = (from: number, to: number) => [[from, NaN], [to, NaN]] as const;
  const mark = (at: number, half: number) => box(at - half, at + half);
  const [low, high] = [row.liquidation_lower, row.liquidation_upper].map((at) => (at === null ? null : x(at))) as [number | null, number | null];
  r.pixels("rect.s-safe", box(low ?? 0, high ?? width));
  r.pixels("rect.s-band", box(x(row.lower), Math.max(x(row.upper), x(row.lower) + 1.5)));
  r.each("rect.s-liq", [...(low !== null && low > 0 ? [mark(low, 1)] : []), ...(high !== null && high < width ? [mark(high, 1)] : [])]);
  const next = [row.next.below, row.next.above].filter((n) => n !== null && n.threshold !== "maintenance");
  r.each("rect.s-next", next.map((n) => mark(x(n?.price ?? NaN), 0.75)));
  r.pixels("line.s-now", box(width / 2, width / 2));
  return r.done();
}

/** The texts above the rows' pictures: they say the scale of all of them. */
export const stripScale = () =>
  pictures("the scale of the rows' pictures", { css: ".book thead svg.strip-scale" }, async () => null, (drawn) =>
    one("strip's scale", drawn, (r) => {
      const width = drawn[0]?.width ?? NaN;
      const texts = r.take("text");
      r.holds(texts.length >= 2, `${texts.length} texts`);
      for (const { text, points } of texts) {
        const move = Number(text.replace("−", "-")) / 100;
        const at = (width / 2) * (1 + bent(Math.log(1 + move)));
        r.holds(Math.abs((points[0]?.[0] ?? NaN) - at) <= 0.051, `${text} stands at ${points[0]?.[0]}, not at ${at}`);
      }
      r.pixels("line.s-now", [[width / 2, NaN], [width / 2, NaN]]);
    }),
  );

/** Small bars of the position: how full, and which part of what is tolerated. */
export const bars = (of: About) =>
  pictures("the position's bars", { css: ".figures svg" }, (v) => v.api<Position>(`positions/${of.position}`), ([meter, signed, ...more], p) => {
    if (!meter || !signed || more.length > 0) return [`bars: ${more.length + (meter ? 1 : 0) + (signed ? 1 : 0)} are drawn, two are expected`];
    const fill = new Reading("LTV's bar", meter);
    const to = (bps: number) => (Math.min(bps, 10_000) / 10_000) * meter.width;
    const [trigger, liquidation] = [p.deleverage_ltv_bps, p.maintenance_ltv_bps];
    fill.pixels("rect.m-track", [[0, NaN], [meter.width, NaN]]);
    fill.pixels("rect.m-fill", [[0, NaN], [to(p.ltv_bps), NaN]]);
    for (const [kind, at] of [["trigger", trigger], ["liq", liquidation]] as const) fill.pixels(`rect.m-${kind}`, [[to(at) - 1, NaN], [to(at) + 1, NaN]]);
    fill.aloud(say`Deleverage at ${trigger / 100} %, liquidation at ${liquidation / 100} %`);
    const error = new Reading("the hedge error's bar", signed);
    const part = Number(p.hedge_tolerance) > 0 ? Number(p.hedge_error) / Number(p.hedge_tolerance) : 0;
    leaning(error, signed.width, part);
    error.aloud(Number(p.hedge_tolerance) > 0 ? say`${Math.abs(part) * 100} % of what is tolerated` : say`nothing is tolerated`);
    return [...fill.done(), ...error.done()];
  });

/** Parts of a sum, each as long as it is of the largest. */
export const split = (what: string, panel: string, read: (visit: Visit) => Promise<readonly (string | null | undefined)[]>) =>
  pictures(what, { panel, css: ".pnl svg" }, read, (drawn, amounts) => {
    if (drawn.length !== amounts.length) return [`${what}: ${drawn.length} bars for ${amounts.length} amounts`];
    const sizes = amounts.map((amount) => Number(amount ?? 0));
    // Less than a cent is told as nothing, and drawn as nothing.
    const largest = Math.max(...sizes.map(Math.abs));
    const most = largest > 0.01 ? largest : Infinity;
    return drawn.flatMap((drawing, i) => {
      const r = new Reading(`${what}, bar ${i}`, drawing);
      leaning(r, drawing.width, (sizes[i] ?? 0) / most);
      return r.done();
    });
  });

function leaning(r: Reading, width: number, part: number): void {
  const half = width / 2;
  const size = Math.min(1, Math.abs(part)) * half;
  r.pixels("rect.m-track", [[0, NaN], [width, NaN]]);
  r.pixels("rect.m-short", part < 0 ? [[half - size, NaN], [half, NaN]] : null);
  r.pixels("rect.m-long", part < 0 ? null : [[half, NaN], [half + size, NaN]]);
  r.pixels("rect.m-middle", [[half - 0.5, NaN], [half + 0.5, NaN]]);
}

/** How much of each reserve is used. */
export const used = (of: About) =>
  pictures("what is used of each reserve", { panel: "Reserves", css: "svg.meter" }, (v) => v.api<{ reserves: { utilisation_bps: number }[] }>(`markets/${of.market}/lenders`), (drawn, { reserves }) => {
    if (drawn.length !== reserves.length) return [`meters: ${drawn.length} for ${reserves.length} reserves`];
    return drawn.flatMap((drawing, i) => {
      const r = new Reading(`reserve ${i}`, drawing);
      const bps = reserves[i]?.utilisation_bps ?? NaN;
      r.pixels("rect.m-track", [[0, NaN], [drawing.width, NaN]]);
      r.pixels("rect.m-fill", [[0, NaN], [(Math.min(bps, 10_000) / 10_000) * drawing.width, NaN]]);
      r.aloud(say`${bps / 100} percent used`);
      return r.done();
    });
  });
