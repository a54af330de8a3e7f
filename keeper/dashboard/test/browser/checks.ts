// What holds of the page whatever keeper it is served by.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import type { Actions, Book, Lenders, Market, Override, Position, Positions, Status } from "../../src/contract";
import { launch } from "../browser-launch";
import type { Rig } from "./rig";
import { plain, Visit } from "./visit";

export const WIDTHS = [390, 600, 820, 1024, 1280, 1366, 1720, 2200];
/** Numbers that are cut off, and how much too wide the page is. */
const MEASURE = () => {
  const cut = [...document.querySelectorAll<HTMLElement>(".num, td, dd, b")]
    .filter((e) => e.checkVisibility() && e.clientWidth > 1 && e.scrollWidth > e.clientWidth + 1 && (/\d/.test(e.textContent ?? "") || e.matches(".near")) && !e.closest(".scroll-x, .vh"))
    .map((e) => `${e.closest("section, dl, header")?.className}: ${e.textContent}`);
  // A cell may fit and still stand beyond its box.
  const beyond = [...document.querySelectorAll<HTMLElement>(".panel .num, .panel td, .facts b, .facts .unit")]
    .filter((e) => e.checkVisibility() && !e.closest(".scroll-x, .vh, .scroll"))
    .filter((e) => e.getBoundingClientRect().right > (e.closest(".panel, .facts")?.getBoundingClientRect().right ?? Infinity) + 1)
    .map((e) => `beyond ${e.closest("section, dl")?.className}: ${e.textContent}`);
  return { cut: [...cut, ...beyond], wide: document.documentElement.scrollWidth - innerWidth };
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

    test("the book shows the API's order, LTV, distance and equity", () =>
      visiting(async (visit) => {
        await visit.until("rows agree with the API", async () => {
          const before = await visit.api<Positions>("positions?limit=12");
          const shown = await visit.page.$$eval(".book tbody tr:not(.space)", (rows) =>
            rows.slice(0, 12).map((r) => [r.querySelector("th a")?.textContent, r.querySelector(".near")?.textContent, r.querySelectorAll(".num")[1]?.textContent, r.querySelector(".c-equity")?.textContent]),
          );
          const after = await visit.api<Positions>("positions?limit=12");
          return [before, after].some((answer) =>
            answer.rows.every((row, i) => {
              const [id, near, ltv, equity] = shown[i] ?? [];
              return (
                id === `#${row.id}` &&
                Math.abs(plain(ltv) - row.ltv_bps / 100) <= 0.051 &&
                Math.abs(plain(equity) - Number(row.equity)) <= 0.51 &&
                (!row.nearest ? near === "none" : near === "reached" ? row.nearest.sigma_days === 0 : Math.abs(plain(near) - Math.abs(row.nearest.distance_bps) / 100) <= 0.051)
              );
            }),
          );
        });
      }));

    test("a position shows the API's sentence, figures, ladder and what-ifs", () =>
      visiting(async (visit) => {
        const row = await worst(visit);
        await visit.to(`#/p/${row.position}`);
        const look = () =>
          visit.page.evaluate(() => ({
            sentence: document.querySelector(".sentence")?.textContent,
            figures: [...document.querySelectorAll(".figures .fact > dd > b")].map((e) => e.textContent),
            ladder: [...document.querySelectorAll(".ladder tbody th")].map((e) => e.textContent),
            gaps: [...document.querySelectorAll(".whatif tbody tr")].map((r) => r.querySelector("b")?.textContent),
            total: document.querySelector(".pnl .sum .num")?.textContent,
          }));
        await visit.until("the position agrees with the API", async () => {
          const before = await visit.api<Position>(`positions/${row.position}`);
          const shown = await look();
          const after = await visit.api<Position>(`positions/${row.position}`);
          return [before, after].some((p) => {
            const near = (text: string | null | undefined, value: string | number, places = 0.51) => Math.abs(plain(text) - Number(value)) <= places;
            return (
              shown.sentence?.replace(/\s+/g, " ").trim() === p.sentence.replace(/\s+/g, " ").trim() &&
              near(shown.figures[0], p.equity) &&
              near(shown.figures[1], p.ltv_bps / 100, 0.006) &&
              near(shown.figures[3], p.delta, Math.max(0.51, Math.abs(Number(p.delta)) * 1e-3)) &&
              shown.ladder.length === 3 + p.thresholds.flatMap((t) => [t.below, t.above]).filter((at) => at !== null).length &&
              p.what_if.every((w, i) => near(shown.gaps[i], w.gap.equity)) &&
              near(shown.total, p.pnl_total)
            );
          });
        });
      }));

    test("markets and lenders show the API's stage, rates and insurance", () =>
      visiting(async (visit) => {
        const status = await visit.api<Status>("status");
        for (const { market } of status.markets) {
          const m = await visit.api<Market>(`markets/${market}`);
          await visit.to(`#/markets/${market}`);
          await visit.page.waitForSelector(`text=Stage ${m.stage}:`);
          assert.equal(await visit.page.locator("h3", { hasText: `Stage ${m.stage}:` }).count(), 1);
          await visit.to(`#/lenders/${market}`);
          await visit.page.waitForSelector(".wide-page .data");
          const shown = await visit.page.$$eval(".wide-page .panel:has(h3) .data", (tables) => [...(tables[0]?.querySelectorAll("tbody tr") ?? [])].map((r) => [...r.children].map((c) => c.textContent)));
          assert.deepEqual(shown.map((r) => r[0]?.trim()), m.reserves.map((r) => r.token));
          m.reserves.forEach((r, i) => {
            assert.equal(plain(shown[i]?.[5]), r.borrow_rate_bps / 100);
            assert.equal(plain(shown[i]?.[6]), r.supply_rate_bps / 100);
          });
          const table = (kind: string) => visit.page.$$eval(`.data.${kind} tbody tr`, (rows) => rows.map((r) => [...r.children].map((c) => c.firstChild?.textContent ?? "")));
          await visit.until("what lenders may lose agrees with the API", async () => {
            const before = await visit.api<Lenders>(`markets/${market}/lenders`);
            const [near, gaps] = [await table("near-debt"), await table("gaps")];
            const after = await visit.api<Lenders>(`markets/${market}/lenders`);
            return [before, after].some(
              (l) =>
                l.near.every((n, k) => plain(near[k]?.[1]) === n.positions && Math.abs(plain(near[k]?.[5]) - n.share_bps / 100) <= 0.051) &&
                l.gaps.every((g, k) => plain(gaps[k]?.[0]) === g.move_bps / 100 && plain(gaps[k]?.[2]) === g.positions_liquidated && plain(gaps[k]?.[3]) === g.positions_insolvent),
            );
          });
        }
      }));

    test("an update arrives without a reload", () =>
      visiting(async (visit) => {
        const text = () => visit.page.textContent(".top .big");
        const was = await text();
        await rig.nudge();
        await visit.until("another price", async () => (await text()) !== was, 30_000);
      }));

    test("axe finds nothing against WCAG 2.1 AA, light and dark, in every view", () =>
      visiting(async (visit) => {
        const { position } = await worst(visit);
        for (const theme of ["light", "dark"]) {
          for (const hash of [`#/p/${position}`, "#/markets", "#/lenders"]) {
            await visit.to(hash);
            await visit.page.evaluate((t) => (document.documentElement.dataset.theme = t), theme);
            await visit.page.waitForTimeout(200);
            assert.deepEqual(await visit.axe(), [], `${theme} ${hash}`);
          }
          await visit.page.getByRole("button", { name: "Halt…" }).first().click();
          await visit.page.waitForSelector(".consequence");
          assert.deepEqual(await visit.axe(), [], `${theme} dialog`);
          await visit.page.keyboard.press("Escape");
        }
      }));

    test("no number is cut off and nothing scrolls sideways at any width", () =>
      visiting(async (visit) => {
        const { position } = await worst(visit);
        for (const width of WIDTHS) {
          await visit.page.setViewportSize({ width, height: 1040 });
          for (const hash of ["#/", `#/p/${position}`, "#/markets", "#/lenders"]) {
            await visit.to(hash);
            const { cut, wide } = await visit.page.evaluate(MEASURE);
            assert.deepEqual(cut, [], `${width} ${hash}`);
            assert.ok(wide <= 0, `${width} ${hash}: ${wide} pixels too wide`);
          }
        }
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
        // An override without the mouse: found by Tab, done by Enter, left by Escape.
        await page.locator(".skip").focus();
        await visit.until("Tab reaches Halt", async () => {
          await page.keyboard.press("Tab");
          return (await page.evaluate(() => document.activeElement?.textContent)) === "Halt…";
        });
        await page.keyboard.press("Enter");
        await page.waitForSelector("dialog .consequence");
        await visit.until("the reason has the focus", async () => (await page.evaluate(() => document.activeElement?.tagName)) === "INPUT");
        await page.keyboard.press("Escape");
        await page.waitForSelector("dialog", { state: "detached" });
        await visit.until("the focus comes back", async () => (await page.evaluate(() => document.activeElement?.textContent)) === "Halt…");
        await page.keyboard.press("Shift+?");
        await page.getByLabel("Single keys are on").uncheck();
        await page.keyboard.press("Escape");
        const here = page.url();
        await page.keyboard.press("j");
        await page.waitForTimeout(300);
        assert.equal(page.url(), here, "single keys can be switched off");
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
          await page.getByRole("button", { name: button }).first().click();
          await page.waitForSelector("dialog .consequence");
          await page.fill("dialog input", reason);
          await page.keyboard.press("Enter");
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
        async ({ page, rig }) => {
          await page.getByRole("button", { name: "Reduce…" }).first().click();
          await page.fill("dialog input[type=password]", "not the token");
          await page.keyboard.press("Enter");
          await page.waitForSelector('dialog .error:has-text("not this keeper’s token")');
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
      visiting(async ({ page }) => {
        await rig.blind(true);
        try {
          await page.waitForSelector('[data-life="blind"] .banner.critical', { timeout: 60_000 });
          assert.match((await page.textContent(".banner")) ?? "", /sees no new slots.*ballast doctor/s);
        } finally {
          await rig.blind(false);
        }
        await page.waitForSelector('[data-life="live"]', { timeout: 90_000 });
      }));

    test("a keeper that is silent on an open connection is late, then dead within 10 s; its numbers look old and stay", () =>
      visiting(async ({ page }) => {
        const equity = () => page.textContent(".facts .fact:nth-child(2) b");
        const from = Date.now();
        await rig.stall(true);
        try {
          await page.waitForSelector('[data-life="late"]', { timeout: 10_000 });
          await page.waitForSelector('[data-life="dead"] .banner.critical', { timeout: 15_000 });
          assert.ok(Date.now() - from < 10_000, `${Date.now() - from} ms`);
          assert.match(await page.title(), /no word/);
          assert.match((await page.textContent(".banner")) ?? "", /ballast doctor.*ballast positions.*ballast deleverage/s);
          assert.ok(await page.getByRole("button", { name: "Halt…" }).isDisabled());
          assert.notEqual(await page.evaluate(() => getComputedStyle(document.querySelector(".page") as Element).filter), "none");
          assert.match((await equity()) ?? "", /\d/);
        } finally {
          await rig.stall(false);
        }
        await page.waitForSelector('[data-life="live"]', { timeout: 30_000 });
      }));

    test("a killed keeper is dead within 10 s; started again it is found, and the page says so", () =>
      visiting(async (visit) => {
        const { page } = visit;
        const before = (await visit.api<Book>("book")).version;
        const from = Date.now();
        await rig.kill();
        await page.waitForSelector('[data-life="dead"] .banner.critical', { timeout: 15_000 });
        assert.ok(Date.now() - from < 10_000, `${Date.now() - from} ms`);
        await rig.restart();
        await page.waitForSelector('[data-life="live"]', { timeout: 120_000 });
        await page.waitForSelector("text=The keeper was restarted");
        assert.ok(Number.isFinite(before));
        // What it shows is the new process's: versions begin anew.
        await visit.until("the new process's book", async () => {
          const book = await visit.api<Book>("book").catch(() => null);
          return book !== null && Math.abs(plain(await page.textContent(".facts .fact:nth-child(2) b")) - Number(book.equity)) <= Math.abs(Number(book.equity)) * 0.02;
        });
        await page.getByRole("button", { name: "Noted" }).click();
        await page.waitForSelector("text=The keeper was restarted", { state: "detached" });
      }));

    test("actions have a reason, an outcome and, where there is an explorer, a link", () =>
      visiting(async (visit) => {
        const [action] = (await visit.api<Actions>("actions?limit=1")).rows;
        if (!action || action.number === null) return;
        await visit.to(`#/p/${action.position}`);
        await visit.page.waitForSelector(`.actions td.reason:has-text(${JSON.stringify(action.reason.slice(0, 40))})`);
        assert.match((await visit.page.textContent(".actions td.outcome")) ?? "", /landed|failed|raced|expired|dropped|pending|paper/);
      }));
  });
}
