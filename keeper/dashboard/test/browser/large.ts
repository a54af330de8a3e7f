// Ten thousand positions on the page, whoever serves them.
import assert from "node:assert/strict";
import type { CDPSession } from "playwright-core";
import type { Visit } from "./visit";

/** Odd, so that one of them is the median. */
const LOADS = 9;
const JUMPS = 3;
const MOST_MS = 1_000;
const MOST_ELEMENTS = 2_500;

const median = (of: readonly number[]): number => [...of].sort((a, b) => a - b)[Math.floor(of.length / 2)] ?? NaN;

/** What the page's own thread has worked, of processor time: so that of a failure it is known whether the page is slow or the machine busy. */
async function worked(session: CDPSession): Promise<number> {
  const { metrics } = await session.send("Performance.getMetrics");
  return (metrics.find((metric) => metric.name === "TaskDuration")?.value ?? NaN) * 1000;
}

/** The first rows within a second, any row within a second, at most 2,500 elements. Medians of the time that passed, by the page's own clock. */
export async function tenThousand({ page, rig }: Visit): Promise<void> {
  await page.waitForSelector('.book h2:has-text("10,000")');
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const jump = (to: number) =>
    page.evaluate(async (part) => {
      const box = document.querySelector(".book .scroll") as HTMLElement;
      const from = performance.now();
      box.scrollTop = part * (box.scrollHeight - box.clientHeight);
      const wanted = Math.max(12, Math.round(part * 9_980));
      for (;;) {
        const rows = [...document.querySelectorAll(".book tbody tr:not(.space)")].map((r) => Number(r.getAttribute("aria-rowindex")));
        if (rows.length > 10 && Math.max(...rows) >= wanted && Math.min(...rows) <= wanted) return Math.round(performance.now() - from);
        if (performance.now() - from > 20_000) throw new Error(`row ${wanted} is not shown`);
        await new Promise((next) => setTimeout(next, 5));
      }
    }, to);
  const jumps: number[] = [];
  const jumpsWork: number[] = [];
  for (const part of [0.5, 1, 0.25, 0.75]) {
    const [took, work]: [number[], number[]] = [[], []];
    for (let i = 0; i < JUMPS; i++) {
      const before = await worked(session);
      took.push(await jump(part));
      work.push((await worked(session)) - before);
      await jump(0.05);
    }
    jumps.push(median(took));
    jumpsWork.push(median(work));
  }
  const elements = await page.evaluate(() => document.querySelectorAll("*").length);
  const loads: number[] = [];
  const loadsWork: number[] = [];
  for (let i = 0; i < LOADS; i++) {
    await page.goto("about:blank");
    const before = await worked(session);
    await page.goto(rig.url, { waitUntil: "commit" });
    const shown = await page.waitForFunction(() => document.querySelectorAll(".book tbody tr th").length > 10 && performance.now(), null, { polling: "raf" });
    loads.push(Math.round((await shown.jsonValue()) as number));
    // A new document may count from nothing.
    const after = await worked(session);
    loadsWork.push(after >= before ? after - before : after);
  }
  const whole = (of: readonly number[]) => of.map(Math.round).join(", ");
  const first = `${median(loads)} ms (median of ${whole(loads)}), ${Math.round(median(loadsWork))} ms of them the page's own work`;
  const any = `${whole(jumps)} ms (medians of ${JUMPS}), ${whole(jumpsWork)} ms of them the page's own work`;
  console.log(`  10,000 positions: first rows after ${first}; jumps ${any}; ${elements} elements`);
  assert.ok(elements <= MOST_ELEMENTS, `${elements} elements`);
  assert.ok(Math.max(...jumps) <= MOST_MS, `jumps took ${any}`);
  assert.ok(median(loads) <= MOST_MS, `the first rows took ${first}`);
}
