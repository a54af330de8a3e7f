// Overrides: by the keyboard alone, and by two people at once.
import assert from "node:assert/strict";
import type { Override, Overrides, Position, Positions, Status } from "../../src/contract";
import type { Visit } from "./visit";

const MOST_TABS = 400;
const DIALOG = "dialog .consequence";

/** What has the focus, in words. */
const focused = ({ page }: Visit) => page.evaluate(() => `${document.activeElement?.tagName} ${document.activeElement?.textContent ?? ""}`.trim());

/** From the page's beginning, by Tab alone. */
async function tabTo(visit: Visit, within: string, button: string): Promise<void> {
  await visit.page.locator(".skip").focus();
  for (let i = 0; i < MOST_TABS; i++) {
    await visit.page.keyboard.press("Tab");
    const here = await visit.page.evaluate(([area, text]) => document.activeElement?.textContent === text && document.activeElement?.closest(area ?? "") !== null, [within, button]);
    if (here) return;
  }
  assert.fail(`${MOST_TABS} times Tab do not reach ${button} in ${within}`);
}

/** In a dialog, by Tab. */
async function tabInDialog(visit: Visit, button: RegExp): Promise<void> {
  for (let i = 0; i < 8; i++) {
    await visit.page.keyboard.press("Tab");
    if (button.test((await focused(visit)).replace(/^BUTTON /, ""))) return;
  }
  assert.fail(`Tab does not reach ${button} in the dialog`);
}

async function open(visit: Visit, within: string, button: string): Promise<void> {
  await tabTo(visit, within, button);
  await visit.page.keyboard.press("Enter");
  await visit.page.waitForSelector(DIALOG);
  await visit.until("the reason has the focus", async () => (await focused(visit)).startsWith("INPUT"));
}

/** Told, and the focus is where it was: at the buttons that are there now. */
async function tell(visit: Visit, within: string, button: string, reason: string, key: "Enter" | "Space"): Promise<void> {
  const { page } = visit;
  await open(visit, within, button);
  await page.keyboard.type(reason);
  if (key === "Space") await tabInDialog(visit, /^(Halt|Reduce|Pause|Resume) /);
  await page.keyboard.press(key);
  await page.waitForSelector(`.toast:has-text("${reason}")`);
  await page.waitForSelector("dialog", { state: "detached" });
  await visit.until("what was done has the focus", async () => (await focused(visit)) === "BUTTON Close").catch(async (error: unknown) => assert.fail(`${String(error)}: ${await focused(visit)} has it`));
  const [newest] = (await visit.api<Overrides>("overrides")).rows;
  assert.equal(newest?.note, reason);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".toast", { state: "detached" });
  await visit.until("the focus is back", () => page.evaluate((area) => document.activeElement?.closest(`${area} .controls`) != null, within));
}

/** The buttons have changed with the mode: where the one with the focus is gone, another has it. */
async function kept({ page }: Visit, within: string): Promise<void> {
  const here = await page.evaluate((area) => document.activeElement?.closest(`${area} .controls`) != null, within);
  assert.ok(here, "the focus went with a button that is gone");
}

/** Cancelled by a button or by Escape, and the focus is back where it was. */
async function cancel(visit: Visit, within: string, button: string, by: "Cancel" | "Escape"): Promise<void> {
  const before = (await visit.api<Overrides>("overrides")).rows.length;
  await open(visit, within, button);
  await visit.page.keyboard.type("not meant");
  if (by === "Cancel") await tabInDialog(visit, /^Cancel$/);
  await visit.page.keyboard.press(by === "Cancel" ? "Space" : "Escape");
  await visit.page.waitForSelector("dialog", { state: "detached" });
  await visit.until("the focus comes back", async () => (await focused(visit)) === `BUTTON ${button}`);
  assert.equal((await visit.api<Overrides>("overrides")).rows.length, before, "what is cancelled is not done");
}

const mode = async (visit: Visit) => (await visit.api<Status>("status")).keeper.mode;
const first = async (visit: Visit) => {
  const [row] = (await visit.api<Positions>("positions?limit=1")).rows;
  assert.ok(row, "the keeper has no position to show");
  return row.position;
};
const modeOf = async (visit: Visit, position: string) => (await visit.api<Position>(`positions/${position}`)).mode;

/** Each override of the keeper and of a position. */
export async function byTheKeyboardAlone(visit: Visit): Promise<void> {
  const header = "header";
  await cancel(visit, header, "Reduce…", "Cancel");
  await cancel(visit, header, "Halt…", "Escape");
  await tell(visit, header, "Reduce…", "depth, by the keyboard", "Enter");
  assert.equal(await mode(visit), "reducing");
  await tell(visit, header, "Halt…", "oracle, by the keyboard", "Space");
  assert.equal(await mode(visit), "halted");
  await visit.page.waitForSelector(".pill.mode:has-text('Halted')");
  await cancel(visit, header, "Resume…", "Cancel");
  await tell(visit, header, "Resume…", "all well, by the keyboard", "Enter");
  assert.equal(await mode(visit), "active");

  const position = await first(visit);
  const title = ".title";
  await visit.to(`#/p/${position}`);
  await visit.page.waitForSelector('.position[data-mode="active"]');
  await cancel(visit, title, "Pause…", "Escape");
  await tell(visit, title, "Reduce…", "thin, by the keyboard", "Space");
  assert.equal(await modeOf(visit, position), "reducing");
  await visit.page.waitForSelector("main p:has-text('Only what reduces its risk is done')");
  await visit.page.waitForSelector('.position[data-mode="reducing"]');
  await kept(visit, title);
  await tell(visit, title, "Pause…", "moved by hand, by the keyboard", "Enter");
  assert.equal(await modeOf(visit, position), "halted");
  await visit.page.waitForSelector(".sentence.paused, .sentence.blocked");
  await visit.page.waitForSelector('.position[data-mode="halted"]');
  await kept(visit, title);
  await tell(visit, title, "Resume…", "moved, by the keyboard", "Enter");
  assert.equal(await modeOf(visit, position), "active");
}

/** Two people have decided on what they see; the first one's word stands, and the second is told whose it is. */
export async function twoPeople(one: Visit, other: Visit): Promise<void> {
  const press = async (visit: Visit, within: string, button: string) => {
    await visit.page.locator(within).getByRole("button", { name: button }).click();
    await visit.page.waitForSelector(DIALOG);
  };
  const confirm = async (visit: Visit, reason: string) => {
    await visit.page.fill("dialog input", reason);
    await visit.page.click("dialog button[type=submit]");
  };
  const done = (visit: Visit, reason: string) => visit.page.waitForSelector(`.toast:has-text("${reason}")`);
  const refused = async (visit: Visit, words: RegExp, journaled: Override | undefined) => {
    await visit.page.waitForSelector("dialog .error");
    const told = (await visit.page.textContent("dialog .error")) ?? "";
    assert.match(told, words);
    assert.match(told, /Nothing was changed\. Close this, look again, and decide anew\./);
    const [newest] = (await visit.api<Overrides>("overrides")).rows;
    assert.equal(newest?.id, journaled?.id, "what is refused is not journaled");
    await visit.page.keyboard.press("Escape");
    await visit.page.waitForSelector("dialog", { state: "detached" });
  };
  const newest = async () => (await one.api<Overrides>("overrides")).rows[0];

  // The keeper: one halts it, the other meant to reduce it.
  await press(one, "header", "Halt…");
  await press(other, "header", "Reduce…");
  await confirm(one, "oracle looks wrong");
  await done(one, "oracle looks wrong");
  let last = await newest();
  await confirm(other, "depth looks thin");
  await refused(other, /^Somebody was faster: The keeper's mode is halted now, not active \(#\d+ by dashboard: oracle looks wrong\)\./, last);
  assert.equal(await mode(one), "halted");
  // By the first again: the second page has changed nothing, so that what it shows is held against it.
  await press(one, "header", "Resume…");
  await confirm(one, "it was right");
  await done(one, "it was right");

  // A position: a reduction would take a pause away, and a resume a newer reduction.
  const position = await first(one);
  for (const visit of [one, other]) {
    await visit.to(`#/p/${position}`);
    await visit.page.waitForSelector(".title .controls");
    await visit.page.waitForSelector('.pill.mode:has-text("Active")');
    await visit.page.waitForSelector('.position[data-mode="active"]');
  }
  await press(one, ".title", "Pause…");
  await press(other, ".title", "Reduce…");
  await confirm(one, "owner moves it");
  await done(one, "owner moves it");
  last = await newest();
  await confirm(other, "looks thin to me");
  await refused(other, /^Somebody was faster: The position's mode is paused now, not active \(#\d+ by dashboard: owner moves it\)\./, last);
  assert.equal(await modeOf(one, position), "halted");
  await press(other, ".title", "Resume…");
  await press(one, ".title", "Resume…");
  await confirm(one, "owner is done");
  await done(one, "owner is done");
  last = await newest();
  await confirm(other, "I think that it is done");
  await refused(other, /^Somebody was faster: The position's mode is active now, not paused/, last);
  assert.equal(await modeOf(one, position), "active");
}
