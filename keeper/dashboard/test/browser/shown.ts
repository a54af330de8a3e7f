// Shown = API: every number in every view is what the API answers, and none stands outside what is compared.
import assert from "node:assert/strict";
import type { Book, Position, Positions, Status } from "../../src/contract";
import { CONSTANT, facts, feed, flags, funding, gap, header, hedge, lenders, markets, overrides, pool, position, reserves, rows, stage } from "./panels";
import type { About, Part } from "./part";
import { see } from "./seen";
import { bars, equityCurve, fundingRates, poolLiquidity, split, strips, stripScale, throughTime, used } from "./pictures";
import type { Visit } from "./visit";

/** What is read slowest is read every fifteen seconds. */
const PATIENCE_MS = 40_000;

type Made = (visit: Visit) => Promise<Part>;

async function compared(visit: Visit, hash: string, made: Made[]): Promise<number> {
  await visit.to(hash);
  const { parts, count } = await agree(visit, hash, made);
  const { rest } = await see(visit.page, [], [...parts.flatMap((part) => part.places), ...CONSTANT]);
  assert.deepEqual(rest, [], `${hash}: numbers that nothing compares`);
  return count;
}

/** Each part, until it agrees with the API. */
async function agree(visit: Visit, where: string, made: Made[]): Promise<{ parts: Part[]; count: number }> {
  const parts: Part[] = [];
  let count = 0;
  for (const make of made) {
    const part = await make(visit);
    parts.push(part);
    let found: string[] = [];
    const look = () => see(visit.page, part.places, []);
    const end = Date.now() + PATIENCE_MS;
    do {
      found = await part.compare(visit, look);
    } while (found.length > 0 && Date.now() < end);
    assert.deepEqual(found, [], `${where} ${part.what}`);
    count += (await look()).texts.flat().filter((text) => /\d/.test(text)).length;
  }
  return { parts, count };
}

async function everything(visit: Visit): Promise<{ status: Status; of: (market: string, position: string | null) => About }> {
  const status = await visit.api<Status>("status");
  const many = status.markets.length > 1;
  return {
    status,
    of: (market, beside) => {
      const found = status.markets.find((m) => m.market === market);
      assert.ok(found, `no market ${market}`);
      return { market, base: found.base, quote: found.quote, name: found.name, position: beside, many };
    },
  };
}

/** The book with a position of each market beside it. */
export async function bookAndPositions(visit: Visit): Promise<void> {
  const { status, of } = await everything(visit);
  for (const { market, name, positions } of status.markets) {
    const [row] = (await visit.api<Positions>(`positions?limit=1&market=${market}`)).rows;
    if (!row) {
      assert.equal(positions, 0, `${name} has positions, and none is listed`);
      continue;
    }
    const about = of(market, row.position);
    const drawn = [strips(), stripScale(), equityCurve(about, "all"), bars(about), attribution(about), throughTime(about, 3), poolLiquidity(about), fundingRates(about)];
    const parts = [...header(about), facts(about), rows(about), ...position(about), flags(), pool(about), funding(about), reserves(about), gap(about), feed(), overrides(), ...drawn];
    const count = await compared(visit, `#/p/${row.position}`, parts);
    console.log(`  ${name}, book and position: ${count} texts with numbers and pictures, as the API says`);
    await otherwise(visit, about);
    if (!about.many) continue;
    const choice = visit.page.locator('.book select[aria-label="Market"]');
    await choice.selectOption(market);
    await agree(visit, `rows of ${name}`, [rows(about, market)]);
    await choice.selectOption("");
  }
}

const attribution = (of: About) =>
  split("the bars of profit and loss", "PnL since opening", async (v) => {
    const { pnl } = await v.api<Position>(`positions/${of.position}`);
    return pnl.state === "known" ? [pnl.fees, pnl.interest, pnl.drift, pnl.curvature, pnl.costs] : [];
  });
const hedged = (of: About) =>
  split("the bars of the hedge", "PnL of the hedge", async (v) => {
    const { hedge_pnl: h } = await v.api<Book>(`book?market=${of.market}`);
    return h === null ? [] : [h.price, h.fees, h.funding];
  });

/** The pictures as they can be chosen, and back. */
async function otherwise(visit: Visit, about: About): Promise<void> {
  const choose = (name: string) => visit.page.getByRole("button", { name, exact: true }).click();
  await choose("Around the band");
  await agree(visit, about.name, [equityCurve(about, "band")]);
  await choose("Whole curve");
  for (const [name, days] of [["24 h", 1], ["30 days", 30], ["3 days", 3]] as const) {
    await choose(name);
    await agree(visit, about.name, [throughTime(about, days)]);
  }
}

/** Markets and lenders. */
export async function marketsAndLenders(visit: Visit): Promise<void> {
  const { status, of } = await everything(visit);
  const [row] = (await visit.api<Positions>("positions?limit=1")).rows;
  const beside = row ? (await visit.api<Position>(`positions/${row.position}`)).position : null;
  // What is selected stays so, whatever is nearest by then.
  await visit.to(row ? `#/p/${row.position}` : "#/");
  for (const { market, name } of status.markets) {
    const about = of(market, beside);
    const many = about.many ? [markets()] : [];
    const count =
      (await compared(visit, `#/markets/${market}`, [...header(about), ...many, stage(about), flags(), pool(about), funding(about), hedge(about), reserves(about), gap(about), hedged(about), poolLiquidity(about), fundingRates(about)])) +
      (await compared(visit, `#/lenders/${market}`, [...header(about), ...lenders(about), used(about)]));
    console.log(`  ${name}, market and lenders: ${count} texts with numbers and pictures, as the API says`);
  }
}
