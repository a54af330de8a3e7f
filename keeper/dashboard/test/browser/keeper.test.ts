// The page served by the real keeper: all that holds of any, and that an override does on the chain what it says.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser } from "playwright-core";
import type { Action, Actions, Position } from "../../src/contract";
import { launch } from "../browser-launch";
import { checks } from "./checks";
import { KeeperRig, programs } from "./keeper-rig";
import { tenThousand } from "./large";
import { refusedRequests, starting, tooManyTokens } from "./refusals";
import { Visit } from "./visit";

if (!programs()) {
  test("the page over the real keeper", { skip: "BALLAST_BIN and BALLAST_KEEPER_WORLD name no programs; `cargo xtask dashboard` builds them" }, () => undefined);
} else {
  checks("the page over the real keeper", () => KeeperRig.start());

  test("10,000 positions on the chain: shown within a second, at most 2,500 elements, any row within a second", async () => {
    const [rig, browser] = await Promise.all([KeeperRig.start(10_000), launch()]);
    let visit: Visit | undefined;
    try {
      visit = await Visit.open(browser, rig);
      await tenThousand(visit);
      assert.deepEqual(visit.surprises(), []);
    } finally {
      await visit?.close();
      await browser.close();
      await rig.close();
    }
  });

  describe("on the chain", () => {
    let rig: KeeperRig;
    let browser: Browser;
    let visit: Visit;
    before(async () => {
      [rig, browser] = await Promise.all([KeeperRig.start(), launch()]);
      visit = await Visit.open(browser, rig);
    });
    after(async () => {
      await visit?.close();
      await browser?.close();
      await rig?.close();
    });
    const chain = () => Promise.all(rig.described.positions.map((address) => rig.bytes(address)));
    const tell = async (button: string, reason: string, within = "header") => {
      await visit.page.locator(within).getByRole("button", { name: button }).click();
      await visit.page.waitForSelector("dialog .consequence");
      await visit.page.fill("dialog input", reason);
      await visit.page.click("dialog button[type=submit]");
      await visit.page.waitForSelector(`.toast:has-text("${reason}")`);
    };
    const landed = async (address: string): Promise<Action | undefined> =>
      (await visit.api<Actions>(`actions?position=${address}`)).rows.find((a) => a.outcome === "landed");

    test("once its opening was read in the chain's history, a position is drawn as it was opened too", async () => {
      const [address] = rig.described.positions;
      assert.ok(address);
      await visit.until("the opening is read", async () => (await visit.api<Position>(`positions/${address}`)).entry.as_opened_state === "known");
      await visit.to(`#/p/${address}`);
      await visit.page.waitForSelector(".curve-panel path.ghost");
      const { entry } = await visit.api<Position>(`positions/${address}`);
      await visit.page.waitForSelector(`.figures:has-text("opened at ${((entry.leverage_bps ?? 0) / 1e4).toFixed(2)}×"), .figures:has-text("opened at ${((entry.leverage_bps ?? 0) / 1e4).toFixed(2)}x")`);
    });

    test("halted, nothing is sent though something is due; resumed, it lands, and the page links to a transaction that the chain knows", async () => {
      await tell("Halt…", "test of halting");
      const before = await chain();
      await rig.move(rig.described.price * 1.03);
      const due = async () => {
        const found = await Promise.all(rig.described.positions.map((address) => visit.api<Position>(`positions/${address}`)));
        return found.find((p) => p.decision.action !== null);
      };
      await visit.until("something is due", async () => (await due()) !== undefined, 60_000);
      await visit.page.waitForTimeout(8_000);
      assert.deepEqual(await chain(), before, "a halted keeper changed something on the chain");
      const waiting = await due();
      assert.ok(waiting);
      await visit.page.waitForSelector('.banner.critical:has-text("halted")');

      await tell("Resume…", "test of resuming");
      await visit.until("it is done on the chain", async () => (await rig.bytes(waiting.position)) !== before[rig.described.positions.indexOf(waiting.position)], 60_000);
      await visit.until("it is in the journal", async () => (await landed(waiting.position)) !== undefined, 60_000);
      const action = await landed(waiting.position);
      assert.ok(action?.signature);
      const { value } = await rig.rpc<{ value: ({ err: unknown } | null)[] }>("getSignatureStatuses", [[action.signature], { searchTransactionHistory: true }]);
      assert.ok(value[0], "the chain does not know the transaction");
      assert.equal(value[0].err, null);
      await visit.to(`#/p/${waiting.position}`);
      await visit.page.waitForSelector(`.actions a[href$="/tx/${action.signature}"]`);
    });

    test("a paused position is left alone while others are served; resumed, it is served", async () => {
      const [paused, ...others] = rig.described.positions;
      assert.ok(paused);
      await visit.to(`#/p/${paused}`);
      await visit.page.waitForSelector(".title");
      await tell("Pause…", "test of pausing", ".title");
      const mine = await rig.bytes(paused);
      const theirs = await Promise.all(others.map((address) => rig.bytes(address)));
      await rig.move(rig.described.price * 0.975);
      await visit.until("another position is served", async () => (await Promise.all(others.map((address) => rig.bytes(address)))).some((bytes, i) => bytes !== theirs[i]), 60_000);
      await visit.until("the paused one is due", async () => (await visit.api<Position>(`positions/${paused}`)).decision.action !== null, 60_000);
      await visit.page.waitForTimeout(5_000);
      assert.equal(await rig.bytes(paused), mine, "a paused position was touched");
      await visit.page.waitForSelector(".sentence.paused, .sentence.blocked");
      await tell("Resume…", "test of resuming it", ".title");
      await visit.until("it is served again", async () => (await rig.bytes(paused)) !== mine, 60_000);
      assert.deepEqual(visit.surprises(), []);
    });

    test("another origin, another host, another kind of content: what the keeper refuses is told in words that say what to do", () => refusedRequests(visit, rig));

    test("a keeper that is starting says so when an override comes too early", () => starting(visit, rig));

    test("after ten wrong tokens in a minute the keeper listens to none, and the page says so", () => tooManyTokens(visit));
  });
}
