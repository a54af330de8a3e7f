// Pictures for the eye: `npm run build && npm run shots -- DIR [NAME]`. Over a made-up world; where `BALLAST_BIN` and
// `BALLAST_KEEPER_WORLD` name programs, over the real keeper, which has acted on a move of the price by then.
import { mkdir } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import type { Actions, Positions, Status } from "../src/contract";
import { FixtureRig } from "./browser/fixture-rig";
import { KeeperRig, programs } from "./browser/keeper-rig";
import type { Rig } from "./browser/rig";
import { launch } from "./browser-launch";

const out = process.argv[2] ?? "build/shots";
await mkdir(out, { recursive: true });
const rig: Rig = programs() ? await moved() : await FixtureRig.start();
const browser = await launch();
const first = `#/p/${(await api<Positions>(rig, "positions?limit=1")).rows[0]?.position}`;
const second = (await api<Status>(rig, "status")).markets.at(1)?.market ?? "";

async function api<T>(of: Rig, path: string): Promise<T> {
  return (await (await fetch(`${of.url}api/v1/${path}`)).json()) as T;
}

async function moved(): Promise<Rig> {
  const keeper = await KeeperRig.start();
  for (const part of [1.03, 0.99]) {
    await keeper.move(keeper.described.price * part);
    const before = (await api<Actions>(keeper, "actions?limit=1")).rows[0]?.id;
    for (let left = 60; left > 0; left -= 1) {
      const [newest] = (await api<Actions>(keeper, "actions?limit=1")).rows;
      if (newest && newest.id !== before && newest.outcome !== "pending") break;
      await setTimeout(500);
    }
  }
  return keeper;
}

interface Shot {
  name: string;
  width: number;
  height: number;
  dark?: boolean;
  to: string;
  full?: boolean;
  before?: (page: import("playwright-core").Page) => Promise<void>;
}
const halt = async (page: import("playwright-core").Page) => {
  await page.getByRole("button", { name: "Halt…" }).first().click();
  await page.waitForSelector(".consequence");
  await page.fill("dialog input", "oracle looks wrong");
};
const dead = async (page: import("playwright-core").Page) => {
  await rig.stall(true);
  await page.waitForSelector('[data-life="dead"]', { timeout: 20_000 });
};
const views: [string, string][] = [
  ["book", "#/"],
  ["position", first],
  ["markets", "#/markets"],
  ["lenders", "#/lenders"],
];
const sizes: [number, number][] = [
  [1720, 1040],
  [1280, 900],
  [390, 844],
];
const everywhere = views.flatMap(([view, to]) =>
  sizes.flatMap(([width, height]) => [false, true].map((dark): Shot => ({ name: `${view}-${width}${dark ? "-dark" : ""}`, width, height, dark, to, full: view !== "book" }))),
);
const shots: Shot[] = [
  ...everywhere,
  { name: "second-market-1280", width: 1280, height: 900, to: `#/markets/${second}`, full: true },
  { name: "second-lenders-1280-dark", width: 1280, height: 900, dark: true, to: `#/lenders/${second}`, full: true },
  { name: "halt-1280", width: 1280, height: 800, to: "#/", before: halt },
  { name: "halt-390-dark", width: 390, height: 844, dark: true, to: "#/", before: halt },
  { name: "dead-1280", width: 1280, height: 800, to: "#/", before: dead },
];
try {
  for (const shot of shots) {
    if (process.argv[3] && !shot.name.includes(process.argv[3])) continue;
    const page = await browser.newPage({ viewport: { width: shot.width, height: shot.height }, colorScheme: shot.dark ? "dark" : "light" });
    page.on("console", (message) => message.type() === "error" && console.error(shot.name, message.text()));
    page.on("pageerror", (error) => console.error(shot.name, String(error)));
    await page.goto(`${rig.url}#token=${await rig.token()}`);
    await page.evaluate((to) => (location.hash = to), shot.to);
    await page.waitForTimeout(1800);
    await shot.before?.(page);
    await page.screenshot({ path: `${out}/${shot.name}.png`, fullPage: shot.full ?? false });
    await page.close();
  }
} finally {
  await browser.close();
  await rig.close();
}
process.exit(0);
