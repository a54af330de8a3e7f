// The page over a made-up world: what a real keeper cannot be brought to quickly (ten thousand positions, refusals, several
// markets, an older keeper), and everything that holds whatever the keeper.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import type { Positions } from "../../src/contract";
import { launch } from "../browser-launch";
import type { Fixture } from "../fixture/server";
import { checks } from "./checks";
import { FixtureRig } from "./fixture-rig";
import { tenThousand } from "./large";
import { plain, Visit } from "./visit";

checks("the page over a fixture", () => FixtureRig.start());

describe("what a real keeper cannot be brought to quickly", () => {
  let browser: Browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());
  const visiting = async (positions: number, work: (visit: Visit, fixture: Fixture) => Promise<void>) => {
    const rig = await FixtureRig.start(positions);
    const visit = await Visit.open(browser, rig);
    try {
      await work(visit, rig.now);
      assert.deepEqual(visit.surprises(), []);
    } finally {
      await visit.close();
      await rig.close();
    }
  };

  test("10,000 positions: shown within a second, at most 2,500 elements, any row within a second", () => visiting(10_000, (visit) => tenThousand(visit)));

  test("refusals are told in words that say what to do", () =>
    visiting(8, async ({ page }, fixture) => {
      const cases = [
        { status: 403, code: "wrong_origin", message: "requests from elsewhere are not served", shown: /open the page with ballast dashboard --config FILE/i },
        { status: 409, code: "mode_changed", message: "the keeper's mode is halted by now", shown: /somebody was faster: the keeper's mode is halted by now.*look again/i },
        { status: 415, code: "not_json", message: "send application/json", shown: /reload the page/i },
        { status: 421, code: "wrong_host", message: "this server does not answer for x", shown: /127\.0\.0\.1/ },
        { status: 429, code: "too_many", message: "too many", shown: /wait a minute/i },
        { status: 503, code: "not_ready", message: "not ready", shown: /starting/i },
      ];
      for (const { shown, ...refusal } of cases) {
        await page.getByRole("button", { name: "Reduce…" }).first().click();
        await page.waitForSelector("dialog .consequence");
        await page.fill("dialog input", "a reason");
        fixture.refusal = refusal;
        await page.click("dialog button[type=submit]");
        await page.waitForSelector("dialog .error", { timeout: 10_000 }).catch(async () => assert.fail(`${refusal.status}: nothing is said: ${await page.textContent("body")}`));
        assert.match((await page.textContent("dialog .error")) ?? "", shown, String(refusal.status));
        await page.keyboard.press("Escape");
        await page.waitForSelector("dialog", { state: "detached" });
        fixture.refusal = null;
      }
      assert.equal(fixture.world.mode, "active", "what is refused is not done");
    }));

  test("a pause is about one position, and red", () =>
    visiting(8, async (visit, fixture) => {
      const { page } = visit;
      const h = fixture.world.held[0];
      assert.ok(h);
      await visit.to(`#/p/${h.address}`);
      await page.getByRole("button", { name: "Pause…" }).click();
      await page.waitForSelector("dialog .consequence.raises");
      await page.fill("dialog input", "owner moves it by hand");
      await page.click("dialog button.danger");
      await page.waitForSelector('.sentence.paused, .sentence.blocked:has-text("paused by")');
      assert.deepEqual([...fixture.world.paused.keys()], [h.address]);
    }));

  test("without the page: the dialog's command has the whole address, the configuration and the reason, and can be copied", () =>
    visiting(8, async (visit, fixture) => {
      const { page } = visit;
      const h = fixture.world.held[0];
      assert.ok(h);
      await visit.context.grantPermissions(["clipboard-read", "clipboard-write"]);
      await visit.to(`#/p/${h.address}`);
      await page.locator(".title").getByRole("button", { name: "Pause…" }).click();
      await page.waitForSelector("dialog .consequence");
      await page.fill("dialog input", "owner's move");
      const wanted = `ballast pause ${h.address} --reason 'owner'\\''s move' --config FILE`;
      assert.equal(await page.textContent("dialog .fine code"), wanted);
      await page.locator("dialog .fine").getByRole("button", { name: "copy" }).click();
      await page.waitForSelector("dialog .fine button:has-text('copied')");
      assert.equal(await page.evaluate(() => navigator.clipboard.readText()), wanted);
    }));

  test("the nearest liquidation is that of all markets, whichever position is shown; sums name their market", () =>
    visiting(32, async (visit, fixture) => {
      const { page } = visit;
      const w = fixture.world;
      const [first, second] = w.markets;
      assert.ok(first && second);
      const top = async () => (await visit.api<Positions>("positions?sort=danger&limit=1")).rows[0];
      const near = await top();
      const other = w.held.find((h) => w.market(h).address !== near?.market);
      assert.ok(near && other);
      await visit.to(`#/p/${other.address}`);
      const name = `#${near.id} ${near.market === first.address ? first.base : second.base}`;
      await visit.until("the other market's sums", async () => (await page.textContent(".facts .fact:nth-child(2) dt")) === `Equity, ${w.market(other).base}/USDC`);
      assert.match((await page.textContent(".facts .fact:first-child")) ?? "", new RegExp(`${name} ·`));
      assert.ok((await page.title()).includes(` ${name} – Ballast`), await page.title());
      const names = await page.$$eval(".page > .facts dt", (all) => all.map((e) => e.textContent ?? ""));
      assert.equal(names.filter((text) => text.endsWith(`, ${w.market(other).base}/USDC`)).length, 5, names.join(" | "));
    }));

  test("the position that is shown stays until a person moves: another that comes nearer is named, and no button changes its position", () =>
    visiting(8, async (visit, fixture) => {
      const { page } = visit;
      const w = fixture.world;
      const shown = () => page.locator(".title .mono").getAttribute("title");
      await visit.to("#/");
      const before = await shown();
      const other = w.held.find((h) => !before?.startsWith(h.address));
      assert.ok(before && other);
      const where = () => page.locator(".title").getByRole("button", { name: "Pause…" }).boundingBox();
      const button = await where();
      // Beyond maintenance, and more so than any other.
      other.debtQuote += other.opened.equity * 4;
      await page.waitForSelector(`.nearer a:has-text("#${other.id} ")`);
      assert.equal(await shown(), before);
      assert.deepEqual(await where(), button, "the button has moved under the pointer");
      await page.click(".nearer a");
      await visit.until("it is shown when a person says so", async () => (await shown())?.startsWith(other.address) ?? false);
      assert.equal(await page.locator(".nearer").count(), 0);
      await visit.to("#/");
      assert.ok((await shown())?.startsWith(other.address), "what a person chose stays on the way back to the book");
    }));

  test("of several troubles the banner tells the worst: halted before restarted and before late; reducing before restarted", () =>
    visiting(8, async (visit, fixture) => {
      const { page } = visit;
      await visit.to("#/");
      // Another process speaks, and it is halted.
      fixture.world.override({ scope: "keeper", mode: "halt", note: "oracle looks wrong" });
      fixture.world.instance = "another";
      fixture.drop();
      await visit.until("the page heard the new process", async () => fixture.opened > 1 && (await page.textContent(".pill.mode")) === "Halted");
      await page.waitForSelector('.banner.critical:has-text("halted")');
      fixture.stalled = true;
      await page.waitForSelector('[data-life="late"]');
      assert.match((await page.textContent(".banner")) ?? "", /The keeper is halted/);
      fixture.stalled = false;
      await page.waitForSelector('[data-life="live"]', { timeout: 30_000 });
      fixture.world.override({ scope: "keeper", mode: "reduce", note: "thin" });
      await page.waitForSelector('.banner.warn:has-text("only reduces risk")');
      fixture.world.override({ scope: "keeper", mode: "resume", note: "well" });
      await page.waitForSelector('.banner.note:has-text("was restarted")');
    }));

  test("an event that cannot be read: the page says nothing wrong, connects anew and reads everything again", () =>
    visiting(8, async (visit, fixture) => {
      const { page } = visit;
      await visit.to("#/");
      const opened = fixture.opened;
      let reads = 0;
      page.on("request", (request) => (reads += request.url().includes("/api/v1/status") ? 1 : 0));
      fixture.world.frozen = true;
      let [before, since] = [-1, Date.now()];
      await visit.until("nothing changes, nothing is read", async () => {
        if (reads !== before) [before, since] = [reads, Date.now()];
        return Date.now() - since > 2_500;
      });
      fixture.garble("action");
      await visit.until("it connects anew", async () => fixture.opened > opened);
      await visit.until("it reads again", async () => reads > before);
      fixture.world.frozen = false;
      await page.waitForSelector('[data-life="live"]');
    }));

  test("addresses that lead nowhere say so", () =>
    visiting(8, async (visit) => {
      for (const [hash, says] of [["#/bogus", "no view “#/bogus”"], ["#/markets/nonsense", "no market nonsense"], ["#/lenders/AvZLnonsensenonsense", "no market AvZL…ense"], ["#/p/11111111111111111111111111111111", "no position 1111…1111"]] as const) {
        await visit.to(hash);
        await visit.page.waitForSelector(`main:has-text("${says}")`);
      }
    }));

  test("lenders of a market of which no gap is told", () =>
    visiting(8, async (visit, fixture) => {
      fixture.noGaps = true;
      await visit.to("#/lenders");
      await visit.page.waitForSelector('.lender-facts .fact:has-text("Worst gap shown"):has-text("unknown")');
    }));

  test("several markets: filtered, each with its own figures and units", () =>
    visiting(32, async (visit, fixture) => {
      const { page } = visit;
      const second = fixture.world.markets[1];
      assert.ok(second);
      const rows = await page.$$eval(".book .c-delta", (cells) => cells.map((c) => c.textContent ?? ""));
      assert.ok(rows.some((t) => t.endsWith("JUP")) && rows.some((t) => t.endsWith("SOL")), "units stand in the rows");
      await page.selectOption('.book select[aria-label="Market"]', second.address);
      await visit.until("only that market's positions", async () => plain(await page.textContent(".book h2 .num")) === fixture.world.held.filter((h) => h.market === 1).length);
      await visit.to(`#/markets/${second.address}`);
      await page.waitForSelector("text=Stage 1: no new risk");
      await page.setViewportSize({ width: 1280, height: 900 });
      assert.ok(await page.locator(".top .pill", { hasText: "Stage 1" }).getByText("no new risk").isVisible(), "what a raised stage means is told in a narrower header too");
      await page.setViewportSize({ width: 1720, height: 1040 });
      await visit.to(`#/lenders/${second.address}`);
      await page.waitForSelector('.liquidated:has-text("12.50")');
    }));

  test("positions of several markets are told apart where they are only named", () =>
    visiting(32, async (visit, fixture) => {
      const { page } = visit;
      const first = page.locator(".latest li").first();
      await page.waitForSelector(".latest li a");
      assert.match((await first.textContent()) ?? "", /#\d+ (SOL|JUP) rehedge/);
      await page.click("header button:has-text('Halt')");
      await page.waitForSelector("dialog .consequence");
      assert.match((await page.textContent("dialog .consequence")) ?? "", /nearest liquidation: #\d+ (SOL|JUP),/);
      await page.keyboard.press("Escape");
      const [one] = fixture.world.markets;
      assert.ok(one);
      one.quote = "USDT";
      await page.reload();
      await page.click("header button:has-text('Halt')");
      await page.waitForSelector("dialog .consequence:has-text('equity in several tokens')");
    }));

  test("what the hedge at the venue has earned, where there is one", () =>
    visiting(8, async (visit, fixture) => {
      const [first, second] = fixture.world.markets;
      assert.ok(first && second);
      const panel = visit.page.locator("section.panel", { hasText: "PnL of the hedge" });
      await visit.to(`#/markets/${first.address}`);
      await panel.waitFor();
      const amounts = (await panel.locator("tr td.num:nth-of-type(1)").allTextContents()).map(plain);
      assert.deepEqual(amounts, [-81.4, -12.35, 31.25, -62.5]);
      await visit.to(`#/markets/${second.address}`);
      await visit.page.waitForSelector("text=Stage 1: no new risk");
      await visit.until("the other market's book", async () => (await panel.count()) === 0);
    }));

  test("what an older keeper does not tell is unknown, never zero", () =>
    visiting(8, async (visit, fixture) => {
      for (const part of ["lenders", "funding", "history", "flags"]) fixture.missing.add(part);
      await visit.page.reload();
      await visit.page.waitForSelector('[data-life="live"] .position .curve');
      await visit.to("#/lenders");
      await visit.page.waitForSelector("text=What a jump would cost is unknown");
      assert.equal(await visit.page.locator(".lender-facts b", { hasText: "unknown" }).count(), 2);
      await visit.to("#/markets");
      await visit.page.waitForSelector("text=Funding is unknown");
      await visit.page.waitForSelector("text=The state of the flags is unknown");
    }));

  test("text from outside is text", () =>
    visiting(8, async (visit, fixture) => {
      const h = fixture.world.held[0];
      assert.ok(h);
      h.label = "<img src=x onerror=alert(1)>";
      fixture.world.override({ scope: "position", mode: "pause", position: h.address, note: "<script>alert(1)</script>" });
      await visit.to(`#/p/${h.address}`);
      await visit.page.waitForSelector(".title:has-text('<img src=x')");
      assert.equal(await visit.page.locator("img").count(), 0);
    }));
});
