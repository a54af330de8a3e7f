// What the real keeper refuses, and how the page tells it: the page's own request, sent on with one thing changed.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import type { Route } from "playwright-core";
import type { Overrides } from "../../src/contract";
import type { KeeperRig } from "./keeper-rig";
import type { Visit } from "./visit";

/** How often a start is tried. */
const STARTS = 10;
const OVERRIDES = "**/api/v1/overrides";

/** The keeper's own answer to the page's request with other headers. */
async function sentOn(route: Route, rig: KeeperRig, changed: Record<string, string>, answered: (status: number, code: string) => void): Promise<void> {
  const own = await route.request().allHeaders();
  const headers = { ...Object.fromEntries(Object.entries(own).filter(([name]) => !name.startsWith(":") && name !== "content-length")), host: new URL(rig.url).host, ...changed };
  const sent = request(`${rig.url}api/v1/overrides`, { method: "POST", headers, agent: false });
  sent.end(route.request().postData() ?? "");
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString();
  answered(answer.statusCode ?? 0, (JSON.parse(body) as { error?: { code: string } }).error?.code ?? "");
  await route.fulfill({ status: answer.statusCode ?? 0, contentType: "application/json", body });
}

const newest = async (visit: Visit) => (await visit.api<Overrides>("overrides")).rows[0]?.id ?? 0;

async function opened({ page }: Visit): Promise<void> {
  await page.locator("header").getByRole("button", { name: "Reduce…" }).click();
  await page.waitForSelector("dialog .consequence");
}

async function told({ page }: Visit, words: RegExp, what: string): Promise<void> {
  await page.waitForSelector("dialog .error", { timeout: 15_000 });
  assert.match((await page.textContent("dialog .error")) ?? "", words, what);
}

async function closed({ page }: Visit): Promise<void> {
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "detached" });
}

/** Another origin, another host, another kind of content; a note that is too long. */
export async function refusedRequests(visit: Visit, rig: KeeperRig): Promise<void> {
  const { page } = visit;
  const cases: { changed: Record<string, string>; status: number; code: string; words: RegExp }[] = [
    { changed: { origin: "http://elsewhere.example" }, status: 403, code: "wrong_origin", words: /refuses requests from this page’s address.*ballast dashboard/ },
    { changed: { host: "elsewhere.example", origin: "http://elsewhere.example" }, status: 421, code: "wrong_host", words: /does not answer for this host name.*127\.0\.0\.1.*api\.hosts/ },
    { changed: { "content-type": "text/plain" }, status: 415, code: "not_json", words: /different versions: reload the page/ },
  ];
  for (const { changed, status, code, words } of cases) {
    const before = await newest(visit);
    const answers: string[] = [];
    await page.route(OVERRIDES, (route) => sentOn(route, rig, changed, (...answer) => answers.push(answer.join(" "))));
    await opened(visit);
    await page.fill("dialog input", `with ${Object.keys(changed).join(" and ")} changed`);
    await page.click("dialog button[type=submit]");
    await told(visit, words, `${status}`);
    // A browser tries a 421 again by itself, once.
    assert.deepEqual([...new Set(answers)], [`${status} ${code}`], "the keeper's own answer");
    await page.unroute(OVERRIDES);
    await closed(visit);
    assert.equal(await newest(visit), before, "what is refused is not journaled");
  }
  await opened(visit);
  await page.fill("dialog input", "long ".repeat(5_000));
  await page.click("dialog button[type=submit]");
  await told(visit, /16384|16,384|16 kB|too l(ong|arge)/i, "413");
  await closed(visit);
}

/** Eleven wrong tokens in a minute. */
export async function tooManyTokens({ page }: Visit): Promise<void> {
  await page.evaluate(() => sessionStorage.removeItem("ballast-token"));
  await page.reload();
  await page.waitForSelector('[data-life="live"] .position .curve');
  await page.locator("header").getByRole("button", { name: "Reduce…" }).click();
  for (let i = 1; i <= 11; i++) {
    await page.fill("dialog input[type=password]", `wrong token ${i}`);
    const answer = page.waitForResponse((response) => response.url().endsWith("/overrides/preview"));
    await page.keyboard.press("Enter");
    assert.equal((await answer).status(), i <= 10 ? 401 : 429, `token ${i}`);
  }
  await page.waitForSelector('dialog .error:has-text("Too many wrong tokens. Wait a minute.")');
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "detached" });
}

/** Started again, and held where it answers and has not read the chain yet: the node falls silent at the first such answer. */
async function heldWhileStarting(rig: KeeperRig): Promise<{ again: Promise<void> }> {
  const status = async () => (await fetch(`${rig.url}api/v1/status`).catch(() => null))?.status;
  for (let tries = 0; tries < STARTS; tries++) {
    await rig.kill();
    const again = rig.restart();
    let answer = await status();
    while (answer === undefined) answer = await status();
    if (answer === 503) {
      await rig.blind(true);
      if ((await status()) === 503) return { again };
      await rig.blind(false);
    }
    await again;
  }
  assert.fail(`of ${STARTS} starts none was seen before it was ready`);
}

/** A keeper that was started again and has not read the chain yet. */
export async function starting(visit: Visit, rig: KeeperRig): Promise<void> {
  const { page } = visit;
  await page.waitForSelector("dialog", { state: "detached" });
  await opened(visit);
  await page.fill("dialog input", "told too early");
  const { again } = await heldWhileStarting(rig);
  try {
    await page.click("dialog button[type=submit]");
    await told(visit, /The keeper is starting\. Try again in some seconds\./, "503");
  } finally {
    await rig.blind(false);
    await again;
  }
  await closed(visit);
  await page.waitForSelector('[data-life="live"]', { timeout: 60_000 });
}
