// Pictures for the eye: `npm run build && npm run shots -- DIR`.
import { mkdir } from "node:fs/promises";
import { launch } from "./browser-launch";
import { Fixture, TOKEN } from "./fixture/server";

const out = process.argv[2] ?? "build/shots";
await mkdir(out, { recursive: true });
const fixture = await Fixture.start({ dist: "dist" });
const browser = await launch();
const first = `#/p/${fixture.world.held[0]?.address}`;
const second = fixture.world.markets[1]?.address;

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
  fixture.stalled = true;
  await page.waitForSelector('[data-life="dead"]', { timeout: 20_000 });
};
const shots: Shot[] = [
  { name: "desktop-light", width: 1720, height: 1040, to: first },
  { name: "desktop-dark", width: 1720, height: 1040, dark: true, to: "#/" },
  { name: "position-1280", width: 1280, height: 900, to: first, full: true },
  { name: "position-1280-dark", width: 1280, height: 900, dark: true, to: first },
  { name: "markets-1280", width: 1280, height: 900, to: `#/markets/${second}`, full: true },
  { name: "lenders-1280", width: 1280, height: 900, to: "#/lenders", full: true },
  { name: "lenders-1280-dark", width: 1280, height: 900, dark: true, to: `#/lenders/${second}` },
  { name: "book-390", width: 390, height: 844, to: "#/" },
  { name: "book-390-dark", width: 390, height: 844, dark: true, to: "#/" },
  { name: "position-390", width: 390, height: 844, to: first, full: true },
  { name: "markets-390", width: 390, height: 844, dark: true, to: "#/markets", full: true },
  { name: "lenders-390", width: 390, height: 844, to: "#/lenders", full: true },
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
    await page.goto(`${fixture.url}#token=${TOKEN}`);
    await page.evaluate((to) => (location.hash = to), shot.to);
    await page.waitForTimeout(1800);
    await shot.before?.(page);
    await page.screenshot({ path: `${out}/${shot.name}.png`, fullPage: shot.full ?? false });
    await page.close();
  }
} finally {
  await browser.close();
  await fixture.kill();
}
process.exit(0);
