// What a dialog says of an override is what the keeper answers: how many positions, how near, what is due, what cannot be called back.
import assert from "node:assert/strict";
import type { MarketName, Position, Positions, Preview, PreviewRequest, Status } from "../../src/contract";
import { named } from "../../src/format/named";
import { capital, WISHES } from "../../src/format/words";
import { difference, type Said, say } from "./said";
import { see } from "./seen";
import type { Visit } from "./visit";

const LINES = "dialog .consequence li";
const PATIENCE_MS = 40_000;

function lines(p: Preview, markets: MarketName[]): Said[] {
  const { id, market, distance_bps: distance, sigma_days } = p.nearest;
  const quote = markets.find((m) => m.market === p.market)?.quote ?? "";
  const name = named(markets, id, market);
  const near = (): Said => (distance === 0 ? say`nearest liquidation: ${name}, reached, ${sigma_days} σ-days away` : say`nearest liquidation: ${name}, at a move of ${(distance ?? NaN) / 100} %, ${sigma_days} σ-days away`);
  return [
    say`${p.positions} ${p.positions === 1 ? "position" : "positions"}, equity ${p.equity ?? "in several tokens"} ${quote}`,
    ...(id !== null && distance !== null ? [near()] : []),
    say`${p.due_now} due now; ${p.within_one_sigma_day} within a usual day’s move of liquidation`,
    ...(p.in_flight.length > 0 ? [say`${p.in_flight.length} already sent and not called back: ${p.in_flight.map((i) => `${i.action.split("_").join(" ")} ${named(markets, i.number, i.market)}`).join(", ")}`] : []),
    ...(p.risk === "raises" ? [say`This raises risk: nobody acts before liquidation.`] : []),
  ];
}

/** One dialog, until what it says agrees with an answer from just before or just after it asked. */
async function dialog(visit: Visit, within: string, request: PreviewRequest, title: string): Promise<Preview> {
  const { page } = visit;
  const { markets } = await visit.api<Status>("status");
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const before = await visit.post<Preview>("overrides/preview", request);
    await page.locator(within).getByRole("button", { name: `${capital(request.mode)}…` }).click();
    await page.waitForSelector(LINES);
    const after = await visit.post<Preview>("overrides/preview", request);
    const places = [{ css: "dialog h2" }, { css: "dialog .consequence" }, { css: LINES }, { css: "dialog p:not(.fine)" }];
    const { texts, rest } = await see(page, places, [{ css: "dialog button[type=submit]" }, { css: "dialog .fine code" }], "dialog");
    assert.deepEqual(rest, [], "numbers in a dialog that nothing compares");
    const risk = await page.getAttribute("dialog .consequence", "class");
    const button = await page.textContent("dialog button[type=submit]");
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog", { state: "detached" });
    const [heads = [], , shown = [], effect = []] = texts;
    const differs = (p: Preview): string[] => {
      const says = lines(p, markets);
      const count = shown.length === says.length ? [] : [`${shown.length} sentences, ${says.length} expected: ${shown.join(" | ")}`];
      const sentences = says.flatMap((said, i) => difference(shown[i], said) ?? []);
      return [...count, ...sentences, ...(difference(effect[0], say`${p.effect}`) ?? []), ...(difference(heads[0], say`${title}?`) ?? []), ...(risk === `consequence ${p.risk}` ? [] : [`it is shown as ${risk}, and ${p.risk}`])];
    };
    const tried = [before, after].map(differs);
    assert.equal(button, title, "the button says the same as the title");
    if (tried.some((found) => found.length === 0)) return after;
    if (Date.now() > end) assert.fail(`${title}: ${tried[1]?.join("; ")}`);
  }
}

/** Of the keeper, and of the position nearest to liquidation. */
export async function consequences(visit: Visit): Promise<void> {
  for (const mode of ["halt", "reduce"] as const) {
    const preview = await dialog(visit, "header", { scope: "keeper", mode }, `${WISHES[mode]} the keeper`);
    const { total } = await visit.api<Positions>("positions?limit=1");
    assert.equal(preview.positions, total, "an override of the keeper is about every position");
    assert.equal(preview.risk === "raises", mode === "halt");
  }
  const [row] = (await visit.api<Positions>("positions?limit=1")).rows;
  assert.ok(row, "the keeper has no position to show");
  const { id, market, position } = await visit.api<Position>(`positions/${row.position}`);
  const { markets } = await visit.api<Status>("status");
  await visit.to(`#/p/${position}`);
  await visit.page.waitForSelector(".title .controls");
  for (const mode of ["pause", "reduce"] as const) {
    const preview = await dialog(visit, ".title", { scope: "position", position, mode }, `${WISHES[mode]} position ${named(markets, id, market)}`);
    assert.equal(preview.positions, 1);
    assert.equal(preview.nearest.id, id);
  }
}
