// What holds of the page whatever keeper it is served by.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import type { Actions, Book, Override, Positions, Status } from "../../src/contract";
import { named } from "../../src/format/named";
import { launch } from "../browser-launch";
import { consequences } from "./consequences";
import { readByKeys } from "./readouts";
import type { Rig } from "./rig";
import { byTheKeyboardAlone, twoPeople } from "./overrides";
import { bookAndPositions, marketsAndLenders } from "./shown";
import { LOOKS, plain, tellKeeper, Visit } from "./visit";

export const WIDTHS = [390, 600, 820, 1024, 1280, 1366, 1720, 2200];
/** The book at every so many pixels: its columns come and go. */
const STEP = 10;
/** Texts that are cut off, and how much too wide the page is. */
export const MEASURE = () => {
  const LEAST = 24;
  const seen = (css: string) => [...document.querySelectorAll<HTMLElement>(css)].filter((e) => e.checkVisibility() && !e.closest(".vh, .stacks thead") && (e.textContent ?? "").trim() !== "");
  const told = (e: Element) => `${e.closest("section, dl, header")?.className}: ${e.textContent}`;
  const overflows = (e: HTMLElement) => e.clientWidth > 1 && e.scrollWidth > e.clientWidth + 1;
  const cut = seen(".num, td, dd, b, .near, thead th").filter((e) => overflows(e) && (/\d/.test(e.textContent ?? "") || e.matches(".near, thead th")));
  // A sign is one letter; what is read aloud only is none.
  const empty = seen("th, td:not(.sign)").filter((e) => e.clientWidth < LEAST && [...e.childNodes].some((node) => !(node instanceof Element && node.matches(".vh, svg")) && (node.textContent ?? "").trim() !== ""));
  // What hides the overflow of a cell hides links in it, and what tells the market.
  const hidden = seen("th a, td a, .base, .unit").filter((e) => {
    const cell = e.closest("th, td")?.getBoundingClientRect();
    const own = e.getBoundingClientRect();
    return cell !== undefined && (own.width < 4 || own.right > cell.right + 1 || own.left < cell.left - 1);
  });
  // A cell may fit and still stand beyond its box.
  const beyond = seen(".panel .num, .panel td, .facts b, .facts .unit")
    .filter((e) => !e.closest(".scroll"))
    .filter((e) => e.getBoundingClientRect().right > (e.closest(".panel, .facts")?.getBoundingClientRect().right ?? Infinity) + 1)
    .map((e) => `beyond ${told(e)}`);
  return { cut: [...cut.map(told), ...empty.map((e) => `no room: ${told(e)}`), ...hidden.map((e) => `hidden: ${told(e)}`), ...beyond], wide: document.documentElement.scrollWidth - innerWidth };
};

/** `addresses` that have to pass, beside the book. */
export function checks(name: string, start: () => Promise<Rig>): void {
  describe(name, () => {
    let rig: Rig;
    let browser: Browser;
    before(async () => {
      [rig, browser] = await Promise.all([start(), launch()]);
    });
    after(async () => {
      await browser?.close();
      await rig?.close();
    });
    const visiting = async (work: (visit: Visit) => Promise<void>, ...args: Parameters<typeof Visit.open> extends [unknown, unknown, ...infer Rest] ? Rest : never) => {
      const visit = await Visit.open(browser, rig, ...args);
      try {
        await work(visit);
        assert.deepEqual(visit.surprises(), [], "complaints of the browser");
        assert.deepEqual(visit.outside, [], "requests to anywhere else");
      } finally {
        await visit.close();
      }
    };
    const worst = async (visit: Visit) => {
      const [row] = (await visit.api<Positions>("positions?limit=1")).rows;
      assert.ok(row, "the keeper has no position to show");
      return row;
    };

    test("the token leaves the address bar and stays in this tab", () =>
      visiting(async ({ page, rig }) => {
        assert.ok(!page.url().includes("token"), page.url());
        assert.equal(await page.evaluate(() => sessionStorage.getItem("ballast-token")), await rig.token());
      }));

    test("every number of the book and of a position is the API's", () => visiting(bookAndPositions, "", { width: 2200 }));

    test("every number of a market and of its lenders is the API's", () => visiting(marketsAndLenders, "", { width: 2200 }));

    test("every sentence of an override's dialog is the API's: how many positions, how near, what is due", () => visiting(consequences));

    test("what a picture says of a point that was chosen is the API's", () => visiting(readByKeys));

    test("an update arrives without a reload", () =>
      visiting(async (visit) => {
        const text = () => visit.page.textContent(".top .big");
        const was = await text();
        await rig.nudge();
        await visit.until("another price", async () => (await text()) !== was, 30_000);
      }));

    test("axe finds nothing against WCAG 2.1 AA in any view or dialog, whatever the keeper's mode, light and dark, wide and narrow", () =>
      visiting(async (visit) => {
        const { page } = visit;
        const { position } = await worst(visit);
        for (const hash of [`#/p/${position}`, "#/markets", "#/lenders"]) {
          await visit.to(hash);
          await visit.looks(hash, "main");
        }
        await visit.to(`#/p/${position}`);
        await page.locator("header").getByRole("button", { name: "Halt…" }).click();
        await visit.looks("the keeper's dialog", "dialog .consequence");
        await page.keyboard.press("Escape");
        await page.locator(".title").getByRole("button", { name: "Pause…" }).click();
        await visit.looks("a position's dialog", "dialog .consequence");
        await page.keyboard.press("Escape");
        await page.keyboard.press("Shift+?");
        await visit.looks("the keys", "dialog .keys-table");
        await page.keyboard.press("Escape");
        for (const [button, mode, banner] of [["Reduce…", "reducing", "warn"], ["Halt…", "halted", "critical"]] as const) {
          await tellKeeper(visit, button, `looked at while ${mode}`);
          await page.waitForSelector(`.banner.${banner}:has-text("looked at while ${mode}")`);
          await visit.looks(mode, `.banner.${banner}`);
        }
        await tellKeeper(visit, "Resume…", "looked at enough");
        await page.waitForSelector(".banner", { state: "detached" });
      }));

    const fits = async ({ page }: Visit, where: string) => {
      // Widths are taken up by observers, a frame later.
      await page.evaluate(() => new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next))));
      const { cut, wide } = await page.evaluate(MEASURE);
      assert.deepEqual(cut, [], where);
      assert.ok(wide <= 0, `${where}: ${wide} pixels too wide`);
    };

    test("no number is cut off and nothing scrolls sideways at any width", () =>
      visiting(async (visit) => {
        const { position } = await worst(visit);
        for (const width of WIDTHS) {
          await visit.page.setViewportSize({ width, height: 1040 });
          for (const hash of ["#/", `#/p/${position}`, "#/markets", "#/lenders"]) {
            await visit.to(hash);
            await fits(visit, `${width} ${hash}`);
          }
        }
      }));

    test("from 390 to 2,200 pixels each position of the book has its number in sight, and with several markets its market", () =>
      visiting(async (visit) => {
        const { page } = visit;
        const { markets } = await visit.api<Status>("status");
        await visit.to("#/");
        const every = async (what: string, says: (text: string) => boolean) => {
          for (let width = 390; width <= 2200; width += STEP) {
            await page.setViewportSize({ width, height: 900 });
            await fits(visit, `${width}, ${what}`);
            const heads = await page.$$eval(".book tbody tr:not(.space) > th", (cells) => cells.map((cell) => cell.textContent ?? ""));
            assert.ok(heads.length > 0 && heads.every(says), `${width}, ${what}: ${heads.join(" | ")}`);
          }
        };
        await every("all markets", (text) => /^#\d+/.test(text) && (markets.length === 1 || markets.some((m) => text.includes(` ${m.base}`))));
        const last = markets.at(-1);
        if (markets.length < 2 || !last) return;
        // The header says other things of another market.
        const [row] = (await visit.api<Positions>(`positions?limit=1&market=${last.market}`)).rows;
        if (row) await visit.to(`#/p/${row.position}`);
        await page.selectOption('.book select[aria-label="Market"]', last.market);
        await visit.until("that market's rows", async () => (await page.locator(".book tbody .base").count()) === 0);
        await every("one market", (text) => /^#\d+/.test(text));
      }));

    test("everything can be done with the keyboard", () =>
      visiting(async (visit) => {
        const { page } = visit;
        await visit.to("#/");
        const total = (await visit.api<Positions>("positions?limit=1")).total;
        await page.keyboard.press("j");
        await visit.until("j opens a position", async () => page.url().includes("#/p/"));
        if (total > 2) {
          const first = page.url();
          await page.keyboard.press("j");
          await visit.until("j moves on", async () => page.url() !== first);
          await page.keyboard.press("k");
          await visit.until("k moves back", async () => page.url() === first);
        }
        await page.waitForSelector(".curve-panel svg");
        await page.locator(".curve-panel svg").focus();
        await page.keyboard.press("ArrowRight");
        await visit.until("the readout follows the cursor", async () => /equity.*delta.*LTV/.test((await page.textContent(".curve-panel .readout")) ?? ""));
        await page.keyboard.press("Escape");
        for (const [key, hash] of [["m", "#/markets"], ["l", "#/lenders"], ["b", "#/"]] as const) {
          await page.keyboard.press("g");
          await page.keyboard.press(key);
          await visit.until(`g ${key}`, async () => (await page.evaluate(() => location.hash)) === hash);
        }
        // The filter is asked for before there is a book, and from where there is none.
        for (const hash of ["#/", "#/markets"]) {
          await page.evaluate((h) => (location.hash = h), hash);
          await page.keyboard.press("/");
          await visit.until(`/ reaches the filter from ${hash}`, async () => (await page.evaluate(() => document.activeElement?.getAttribute("type"))) === "search");
          assert.equal(await page.evaluate(() => location.hash), "#/");
          await page.keyboard.press("Escape");
        }
        await page.keyboard.press("Shift+?");
        await page.getByLabel("Single keys are on").uncheck();
        await page.keyboard.press("Escape");
        const here = page.url();
        await page.keyboard.press("j");
        await page.waitForTimeout(300);
        assert.equal(page.url(), here, "single keys can be switched off");
      }));

    test("overrides by the keyboard alone: opened, given a reason, confirmed or cancelled; the focus comes back", () => visiting(byTheKeyboardAlone));

    test("of two people who decide on the same picture the second is told, for the keeper and for a position", () =>
      visiting(async (one) => {
        const other = await Visit.open(browser, rig);
        try {
          await twoPeople(one, other);
          assert.deepEqual(other.surprises(), []);
        } finally {
          await other.close();
        }
      }));

    test("halting says how many and how near, in red; reducing is one click and a reason; both are journaled", () =>
      visiting(async (visit) => {
        const { page } = visit;
        const counts = (await visit.api<Status>("status")).counts;
        await page.getByRole("button", { name: "Halt…" }).click();
        await page.waitForSelector("dialog .consequence.raises");
        const said = (await page.textContent("dialog .consequence")) ?? "";
        assert.match(said, new RegExp(`${counts.positions} position`));
        assert.match(said, /σ-days/);
        const send = page.locator("dialog button[type=submit]");
        assert.match((await send.getAttribute("class")) ?? "", /danger/);
        assert.ok(await send.isDisabled(), "not without a reason");
        await page.keyboard.press("Escape");

        const tell = async (button: string, reason: string, mode: string) => {
          await tellKeeper(visit, button, reason);
          await visit.until(`the mode is ${mode}`, async () => (await page.textContent(".pill.mode")) === mode, 30_000);
          const [newest] = (await visit.api<{ rows: Override[] }>("overrides")).rows;
          assert.equal(newest?.note, reason);
          await page.waitForSelector(`.toast:has-text("journaled as #${newest?.id}")`);
        };
        await tell("Reduce…", "depth looks thin", "Reducing");
        await tell("Halt…", "oracle looks wrong", "Halted");
        await page.waitForSelector('.banner.critical:has-text("halted")');
        await tell("Resume…", "oracle is back", "Active");
      }));

    test("without a token the page asks for it; a wrong one is told in words", () =>
      visiting(
        async (visit) => {
          const { page, rig } = visit;
          await page.getByRole("button", { name: "Reduce…" }).first().click();
          await visit.looks("asked for the token", "dialog input[type=password]");
          await page.fill("dialog input[type=password]", "not the token");
          await page.keyboard.press("Enter");
          await page.waitForSelector('dialog .error:has-text("not this keeper’s token")');
          await visit.looks("refused", "dialog .error");
          await page.fill("dialog input[type=password]", await rig.token());
          await page.keyboard.press("Enter");
          await page.waitForSelector("dialog .consequence");
        },
        "",
        { token: false },
      ));

    test("two tabs share one stream, and the second goes on when the first is closed", () =>
      visiting(async (visit) => {
        let streams = 0;
        const count = (page: { on(event: "request", listener: (r: { url(): string }) => void): void }) =>
          page.on("request", (request) => {
            if (request.url().endsWith("/api/v1/events")) streams += 1;
          });
        const second = await visit.context.newPage();
        visit.listen(second);
        count(second);
        await second.goto(rig.url);
        await second.waitForSelector('[data-life="live"] .position .curve');
        await second.waitForTimeout(4_000);
        assert.equal(streams, 0, "the second tab listens to the first");
        assert.equal(await second.getAttribute("html", "data-life"), "live");
        await visit.page.close();
        await visit.until("the second tab streams now", async () => streams === 1);
        await second.waitForSelector('[data-life="live"]');
      }));

    test("a keeper that sees no chain is blind, and says so", () =>
      visiting(async (visit) => {
        const { page } = visit;
        await rig.blind(true);
        try {
          await page.waitForSelector('[data-life="blind"] .banner.critical', { timeout: 60_000 });
          assert.match((await page.textContent(".banner")) ?? "", /sees no new slots.*ballast doctor --config FILE --url/s);
          for (const old of [".top .big", ".top .mode"]) {
            assert.match(await page.$eval(old, (e) => getComputedStyle(e.closest(".cell, .pill") as Element).textDecorationLine), /line-through/, old);
          }
          await visit.looks("blind", '[data-life="blind"] .banner.critical');
        } finally {
          await rig.blind(false);
        }
        await page.waitForSelector('[data-life="live"]', { timeout: 90_000 });
      }));

    test("a keeper that is silent on an open connection is late, then dead within 10 s; its numbers look old and stay", () =>
      visiting(async (visit) => {
        const { page } = visit;
        const equity = () => page.textContent(".facts .fact:nth-child(2) b");
        const known = await visit.api<Positions>("positions?limit=1");
        await tellKeeper(visit, "Reduce…", "so that something was done");
        await page.waitForSelector(".pill.mode:has-text('Reducing')");
        const from = Date.now();
        await rig.stall(true);
        try {
          await page.waitForSelector('[data-life="late"]', { timeout: 10_000 });
          await page.waitForSelector('[data-life="dead"] .banner.critical', { timeout: 15_000 });
          assert.ok(Date.now() - from < 10_000, `${Date.now() - from} ms`);
          assert.match(await page.title(), /no word/);
          const { rows } = known;
          const said = (await page.textContent(".banner")) ?? "";
          assert.match(said, new RegExp(`systemctl status ballast-keeper.*ballast doctor --config FILE --url .*ballast positions --all --url .*ballast deleverage ${rows[0]?.position} --url `, "s"));
          assert.equal(await page.locator(".toast").count(), 0, "what was done before may not hold any more");
          assert.ok(await page.getByRole("button", { name: "Halt…" }).isDisabled());
          assert.notEqual(await page.evaluate(() => getComputedStyle(document.querySelector(".page") as Element).filter), "none");
          assert.match((await equity()) ?? "", /\d/);
          await visit.looks("dead", '[data-life="dead"] .banner.critical');
        } finally {
          await rig.stall(false);
        }
        await page.waitForSelector('[data-life="live"]', { timeout: 30_000 });
        await tellKeeper(visit, "Resume…", "heard again");
        await page.waitForSelector(".pill.mode:has-text('Active')");
      }));

    test("axe finds nothing against WCAG 2.1 AA while the keeper is late", () =>
      visiting(async (visit) => {
        // Late lasts for seconds: one look each time.
        for (const look of LOOKS) {
          await rig.stall(true);
          try {
            await visit.page.waitForSelector('[data-life="late"] .banner.warn', { timeout: 10_000 });
            await visit.looks("late", '[data-life="late"] .banner.warn', [look]);
          } finally {
            await rig.stall(false);
          }
          await visit.page.waitForSelector('[data-life="live"]', { timeout: 30_000 });
        }
      }));

    test("a killed keeper is dead within 10 s; started again it is found, and the page says so", () =>
      visiting(async (visit) => {
        const { page } = visit;
        const from = Date.now();
        await rig.kill();
        await page.waitForSelector('[data-life="dead"] .banner.critical', { timeout: 15_000 });
        assert.ok(Date.now() - from < 10_000, `${Date.now() - from} ms`);
        await rig.restart();
        await page.waitForSelector('[data-life="live"]', { timeout: 120_000 });
        await page.waitForSelector("text=The keeper was restarted");
        // What it shows is the new process's: versions begin anew.
        await visit.until("the new process's book", async () => {
          // Of the market that is shown, which is that of the position that is.
          const shown = ((await page.textContent(".facts .fact:nth-child(2) dt")) ?? "").replace("Equity, ", "");
          const market = (await visit.api<Status>("status").catch(() => null))?.markets.find((m) => m.name === shown)?.market;
          const book = market === undefined ? null : await visit.api<Book>(`book?market=${market}`).catch(() => null);
          return book !== null && Math.abs(plain(await page.textContent(".facts .fact:nth-child(2) b")) - Number(book.equity)) <= Math.abs(Number(book.equity)) * 0.02;
        });
        await page.getByRole("button", { name: "Noted" }).click();
        await page.waitForSelector("text=The keeper was restarted", { state: "detached" });
      }));

    test("what the keeper has just done stands with its reason, its outcome and a link to its transaction", () =>
      visiting(async (visit) => {
        const landed = async () => (await visit.api<Actions>("actions?limit=50")).rows.find((a) => a.outcome === "landed" && a.number !== null);
        const before = (await landed())?.id ?? 0;
        await rig.makeDue();
        await visit.until("an action lands", async () => ((await landed())?.id ?? 0) > before, 60_000);
        const action = await landed();
        assert.ok(action?.signature, "what has landed has a signature");
        assert.notEqual(action.reason, "", "it has a reason");
        const { explorer, markets } = await visit.api<Status>("status");
        assert.ok(explorer, "an explorer is configured");
        const link = explorer.replace("{signature}", action.signature);
        await visit.to(`#/p/${action.position}`);
        const row = visit.page.locator(".actions tbody tr", { has: visit.page.locator(`a[href="${link}"]`) });
        await row.waitFor({ timeout: 20_000 });
        // Both lists are read by themselves, and may be a moment behind the API.
        const cells = async () => (await row.locator("td").allTextContents()).map((text) => text.trim());
        await visit.until("the position's list says that it landed", async () => (await cells()).at(-1) === "✓ landed");
        const texts = await cells();
        const words = action.action.replaceAll("_", " ");
        assert.deepEqual([texts[1], texts[2]], [words, action.reason]);
        // The feed beside it says the same of it.
        const item = visit.page.locator(".latest li", { has: visit.page.locator(`a[href="${link}"]`) });
        const landing = new RegExp(`${named(markets, action.number, action.market)} ${words}.*landed`);
        await visit.until("the feed says the same", async () => landing.test((await item.textContent()) ?? ""));
        assert.ok((await item.textContent())?.includes(action.reason), "the reason stands in the feed");
      }));
  });
}
