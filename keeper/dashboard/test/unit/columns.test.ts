import assert from "node:assert/strict";
import { test } from "node:test";
import { type Column, columnsOf, STRIP_PADDING, widthOf } from "../../src/book/columns";

/** What is left for the position's number, with what stands beside it. */
function left(width: number, many: boolean): number {
  const c = columnsOf(width, many);
  const shown: Column[] = ["sign", "near", "equity", ...(c.ltv ? ["ltv" as const] : []), ...(c.leverage ? ["leverage" as const] : []), ...(c.delta ? [many ? ("deltaUnit" as const) : ("delta" as const)] : []), ...(c.next ? ["next" as const] : [])];
  return shown.reduce((rest, column) => rest - widthOf(column, c), width - (c.strip && c.strip + STRIP_PADDING));
}

test("whatever the book's width, a position's number has its place, with several markets the market too", () => {
  for (const many of [false, true]) {
    for (let width = 330; width <= 1_200; width += 1) {
      const c = columnsOf(width, many);
      const needed = 50 + (c.base ? 42 : 0) + (c.name ? 52 : 0);
      assert.ok(left(width, many) >= needed, `${width} pixels, ${many ? "many" : "one"}: ${left(width, many)} left, ${needed} needed`);
      assert.equal(c.base, many, `${width} pixels: the market`);
    }
  }
});

test("a wider book never shows fewer columns", () => {
  const shown = (width: number, many: boolean) => Object.values({ ...columnsOf(width, many), tight: false }).map((column) => Number(column !== false && column !== 0));
  for (const many of [false, true]) {
    for (let width = 200; width < 1_200; width += 1) {
      const [before, after] = [shown(width, many), shown(width + 1, many)];
      assert.ok(before.every((n, i) => n <= (after[i] ?? 0)), `${width + 1} pixels show less than ${width}`);
    }
  }
});
