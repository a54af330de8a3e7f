// A visit of the page: a browser context with everything it complains about written down.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { Rig } from "./rig";

export type Look = readonly [colour: "light" | "dark", width: number];
export const LOOKS: readonly Look[] = [
  ["light", 1720],
  ["dark", 1720],
  ["light", 390],
  ["dark", 390],
];

export class Visit {
  /** Errors in the console and in scripts, breaches of the content-security policy among them. */
  readonly complaints: string[] = [];
  /** Requests to anywhere else. */
  readonly outside: string[] = [];

  private constructor(
    readonly rig: Rig,
    readonly context: BrowserContext,
    readonly page: Page,
  ) {}

  static async open(browser: Browser, rig: Rig, hash = "", options: { width?: number; dark?: boolean; token?: boolean } = {}): Promise<Visit> {
    const context = await browser.newContext({ viewport: { width: options.width ?? 1720, height: 1040 }, colorScheme: options.dark ? "dark" : "light" });
    const page = await context.newPage();
    const visit = new Visit(rig, context, page);
    visit.listen(page);
    await page.goto(`${rig.url}${options.token === false ? "" : `#token=${await rig.token()}`}`);
    await page.waitForSelector('[data-life="live"] .position .curve', { timeout: 60_000 });
    if (hash) await visit.to(hash);
    return visit;
  }

  listen(page: Page): void {
    page.on("console", (message) => message.type() === "error" && this.complaints.push(message.text()));
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("request", (request) => {
      if (!request.url().startsWith(this.rig.url) && !request.url().startsWith("data:")) this.outside.push(request.url());
    });
  }

  async api<T>(path: string): Promise<T> {
    return (await (await this.page.request.get(`${this.rig.url}api/v1/${path}`)).json()) as T;
  }

  async post<T>(path: string, data: unknown): Promise<T> {
    const answer = await this.page.request.post(`${this.rig.url}api/v1/${path}`, { data, headers: { Authorization: `Bearer ${await this.rig.token()}` } });
    assert.ok(answer.ok(), `${path}: ${answer.status()} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  async to(hash: string): Promise<void> {
    await this.page.evaluate((h) => (location.hash = h), hash);
    await this.page.waitForTimeout(700);
  }

  /** Until `probe` holds. */
  async until(what: string, probe: () => Promise<boolean>, timeout_ms = 20_000): Promise<void> {
    const end = Date.now() + timeout_ms;
    while (!(await probe())) {
      if (Date.now() > end) throw new Error(`not within ${timeout_ms / 1000} s: ${what}`);
      // Not the page's own timer: the page may be closed.
      await setTimeout(150);
    }
  }

  /** No violation in either colour, wide and narrow; `still` has to hold afterwards too, or nothing was looked at. */
  async looks(what: string, still: string, looks: readonly Look[] = LOOKS): Promise<void> {
    const { theme } = await this.page.evaluate(() => ({ ...document.documentElement.dataset }));
    for (const [colour, width] of looks) {
      await this.page.setViewportSize({ width, height: 1040 });
      await this.page.evaluate((to) => (document.documentElement.dataset.theme = to), colour);
      // Widths are taken up by observers, a frame later.
      await this.page.evaluate(() => new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next))));
      assert.deepEqual(await this.axe(), [], `${what}, ${colour}, ${width} pixels`);
      assert.ok(await this.page.locator(still).first().isVisible(), `${what}, ${colour}, ${width} pixels: ${still} is not there any more`);
    }
    await this.page.setViewportSize({ width: 1720, height: 1040 });
    await this.page.evaluate((to) => (document.documentElement.dataset.theme = to), theme ?? "auto");
  }

  /** Violations of WCAG 2.1 AA. */
  async axe(): Promise<string[]> {
    const source = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    // Not by a script tag: the page's policy forbids it.
    await this.page.evaluate(source);
    return this.page.evaluate(async () => {
      const { axe } = globalThis as unknown as { axe: { run: (of: Document, how: object) => Promise<{ violations: { id: string; nodes: { target: string[]; any: { message: string }[] }[] }[] }> } };
      const found = await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] });
      return found.violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(" ")} ${n.any[0]?.message ?? ""}`));
    });
  }

  /** Complaints that are no consequence of a keeper that was taken away. */
  surprises(): string[] {
    return this.complaints.filter((text) => !/Failed to load resource|net::ERR_/.test(text));
  }

  close(): Promise<void> {
    return this.context.close();
  }
}

/** Tells the whole keeper something, by its button. */
export async function tellKeeper({ page }: Visit, button: string, reason: string): Promise<void> {
  await page.locator("header").getByRole("button", { name: button }).click();
  await page.waitForSelector("dialog .consequence");
  await page.fill("dialog input", reason);
  await page.keyboard.press("Enter");
  await page.waitForSelector(`.toast:has-text("${reason}")`);
}

/** A shown number as the API would write it. */
export function plain(text: string | null | undefined): number {
  return Number((text ?? "").replace(/[,\s\u202f%×↑↓+≈]/g, "").replace(/−/g, "-"));
}
