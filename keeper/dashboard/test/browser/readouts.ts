// A picture read by keys: what stands below it is the chosen point of the API's answer.
import assert from "node:assert/strict";
import type { Actions, Funding, History, Liquidity, Position, Positions, Status } from "../../src/contract";
import { date } from "../../src/format/time";
import { since } from "./pictures";
import { difference, joined, type Said, say } from "./said";
import { see } from "./seen";
import type { Visit } from "./visit";

const PATIENCE_MS = 40_000;

interface Picture<T> {
  what: string;
  svg: string;
  says: string;
  read: () => Promise<T>;
  /** What stands there at the first point, and at the last. */
  ends: (answer: T) => readonly [Said, Said] | null;
}

async function compare<T>({ page }: Visit, { what, svg, says, read, ends }: Picture<T>): Promise<boolean> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const before = await read();
    if (ends(before) === null) return false;
    await page.locator(svg).first().focus();
    const told: (string | undefined)[] = [];
    for (const key of ["Home", "End"]) {
      await page.keyboard.press(key);
      // The page draws once a frame.
      await page.evaluate(() => new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next))));
      told.push((await see(page, [{ css: says }], [])).texts[0]?.[0]);
    }
    await page.keyboard.press("Escape");
    const tried = [before, await read()].map((answer) => (ends(answer) ?? []).flatMap((said, i) => difference(told[i], said) ?? []));
    if (tried.some((found) => found.length === 0)) return true;
    if (Date.now() > end) assert.fail(`${what}: ${tried[1]?.join("; ")}`);
  }
}

export async function readByKeys(visit: Visit): Promise<void> {
  const [row] = (await visit.api<Positions>("positions?limit=1")).rows;
  assert.ok(row, "the keeper has no position to show");
  await visit.to(`#/p/${row.position}`);
  const detail = () => visit.api<Position>(`positions/${row.position}`);
  const { markets } = await visit.api<{ markets: { market: string; base: string }[] }>("status");
  const base = markets.find((m) => m.market === row.market)?.base ?? "?";

  const curve = await compare(visit, {
    what: "the equity curve",
    svg: ".curve-panel .chart svg",
    says: ".curve-panel .readout",
    read: detail,
    ends: (p) => {
      const at = (i: number): Said => {
        const c = p.curve.at(i);
        if (!c) return say`no point`;
        return joined([
          say`${c.price} (${(c.price / p.price - 1) * 100} %)equity ${c.equity} (${c.equity - Number(p.equity)})delta ${c.delta} ${base}LTV `,
          c.ltv_bps === null ? say`–` : say`${c.ltv_bps / 100} %`,
          say`leverage `,
          c.leverage_bps === null ? say`∞` : say`${c.leverage_bps / 1e4}×`,
        ]);
      };
      return [at(0), at(-1)];
    },
  });
  assert.ok(curve, "the curve was not read");

  const liquidity = await compare(visit, {
    what: "the pool's liquidity",
    svg: "aside .chart svg[aria-label^='Liquidity']",
    says: "aside .chart:has(svg[aria-label^='Liquidity']) .readout",
    read: () => visit.api<Liquidity>(`markets/${row.market}/liquidity?position=${row.position}`),
    ends: (l) => {
      const now = l.price;
      if (now === null) return null;
      const bins = l.bins.filter(([from, to]) => to > now * 0.84 && from < now * 1.16);
      const at = (i: number): Said => {
        const [from = 0, to = 0, pool = 0, book = 0, mine = 0] = bins.at(i) ?? [];
        return say`${from} to ${to}pool ${pool}book ${book}#${row.id} ${mine}`;
      };
      return [at(0), at(-1)];
    },
  });
  assert.ok(liquidity, "the pool's liquidity was not read");

  await compare(visit, {
    what: "funding",
    svg: "aside .chart svg[aria-label^='Funding']",
    says: "aside .chart:has(svg[aria-label^='Funding']) .readout",
    read: () => visit.api<Funding>(`markets/${row.market}/funding`),
    ends: (f) => {
      const [first, last] = [f.past[0], f.forecast.at(-1)];
      if (!first || !last) return null;
      return [say`${`${date(first[0]).slice(5)} UTC`}${first[1] * 100} %`, say`${`${date(last[0]).slice(5)} UTC`}${last[1] * 100} %${last[2] * 100} % to ${last[3] * 100} %`];
    },
  });

  const { now } = await visit.api<{ now: number }>("status");
  const [place] = await visit.page.locator(".series figcaption").all();
  const series = (await place?.count()) ?? 0;
  if (series === 0) return;
  await compare(visit, {
    what: "the price through time",
    svg: ".series:first-child svg",
    says: ".series:first-child figcaption",
    read: async () => ({ h: await visit.api<History>(`positions/${row.position}/history?from=${since(now, 3)}`), p: await detail(), a: await visit.api<Actions>(`actions?position=${row.position}&limit=20`), s: await visit.api<Status>("status") }),
    ends: ({ h, p, a, s }) => {
      const [secs, price] = [h.fields.indexOf("secs"), h.fields.indexOf("price")];
      const [first, last] = [h.rows[0], h.rows.at(-1)];
      const newest = Math.max(s.now, last?.[secs] ?? 0, ...a.rows.map((one) => one.secs));
      const times = [...new Set([-5, 0, 5].map((more) => date(newest + more).slice(5)))];
      return h.rows.length < 3 ? null : [say`Price in its band, USDC${first?.[price] ?? null}${date(first?.[secs]).slice(5)}`, say`Price in its band, USDC${p.price}${{ of: times }}`];
    },
  });
}
