import assert from "node:assert/strict";
import { test } from "node:test";
import { bent, DAY_SECS, extent, lanes, nearest, path, scale, ticks, times } from "../../src/charts/scale";
import { href, parse, type Route } from "../../src/route";

test("ticks are round, inside, and about as many as asked for", () => {
  assert.deepEqual(ticks(0, 100, 5), [0, 20, 40, 60, 80, 100]);
  assert.deepEqual(ticks(-1, 1, 4).map((v) => v + 0), [-1, -0.5, 0, 0.5, 1]);
  assert.deepEqual(ticks(3, 3, 5), []);
  for (const [low, high] of [[0.7, 0.95], [110, 260], [-48_000, 101_000], [0.00001, 0.00009]] as const) {
    const found = ticks(low, high, 5);
    assert.ok(found.length >= 2 && found.length <= 11, `${low}..${high}: ${found}`);
    assert.ok(found.every((v) => v >= low - 1e-9 && v <= high + 1e-9));
  }
  // One alone would say no scale.
  assert.deepEqual(ticks(-0.09, 0.09, 3), [-0.05, 0, 0.05].map((v) => v));
  for (let i = 0; i < 1000; i++) {
    const [low, span, count] = [Math.sin(i) * 1e3, 10 ** (i % 9 - 4), 1 + (i % 7)];
    const found = ticks(low, low + span, count);
    assert.ok(found.length >= 2 && found.length <= 2 * count + 6, `${low} and ${span} in ${count}: ${found}`);
  }
});

test("times are round, and whole days where there are several", () => {
  const first = 1_700_000_123;
  for (const hours of [1, 2, 6, 24, 40, 49, 72, 24 * 30]) {
    const marks = times(first, first + hours * 3600, 300);
    assert.ok(marks.length >= 2 && marks.length <= 8, `${hours} hours: ${marks}`);
    if (hours > 48) assert.ok(marks.every((t) => t % DAY_SECS === 0), `${hours} hours: ${marks}`);
  }
});

test("an extent ignores what is not a number, and is never empty", () => {
  assert.deepEqual(extent([NaN, 1, 3], 0), [1, 3]);
  const [low, high] = extent([5]);
  assert.ok(low < 5 && high > 5);
  assert.deepEqual(extent([]), [0, 1]);
});

test("a scale is linear, also where its domain is a point", () => {
  assert.equal(scale(0, 10, 100, 200)(5), 150);
  assert.equal(scale(3, 3, 0, 10)(3), 0);
});

test("labels that would touch stand in different lanes", () => {
  const x = scale(0, 100, 0, 500);
  const placed = lanes([{ at: 50, text: "liquidation", kind: "a" }, { at: 51, text: "deleverage", kind: "b" }, { at: 90, text: "rehedge", kind: "c" }], x, 0, 500);
  assert.deepEqual(placed.map((m) => m.lane), [0, 1, 0]);
  const both = lanes([{ at: 52, text: "rehedge", kind: "c" }, { at: 48, text: "rehedge", kind: "c" }, { at: 90, text: "rehedge", kind: "c" }], x, 0, 500);
  assert.deepEqual(both.map((m) => [m.xs, m.x]), [[[240, 260], 250], [[450], 450]], "the same side by side is said once");
});

test("the strip's scale is odd, steep near the price, and ends at its ends", () => {
  assert.equal(bent(0), 0);
  assert.ok(Math.abs(bent(0.1) + bent(-0.1)) < 1e-12);
  assert.ok(bent(0.02) > 4 * (bent(0.42) - bent(0.4)));
  assert.equal(bent(3), 1);
});

test("the nearest point is found", () => {
  assert.equal(nearest([1, 5, 9], 6.9), 1);
  assert.equal(path([[0, 1], [2.25, 3]]), "M0.0 1.0L2.3 3.0");
});

test("every view has an address, and comes back from it", () => {
  const routes: Route[] = [{ view: "book" }, { view: "position", position: "Bgkh" }, { view: "markets", market: null }, { view: "markets", market: "AvZL" }, { view: "lenders", market: null }];
  for (const route of routes) assert.deepEqual(parse(href(route)), route);
  for (const nothing of ["", "#", "#/"]) assert.deepEqual(parse(nothing), { view: "book" });
  for (const asked of ["#/nowhere", "#/p", "#/p/"]) assert.deepEqual(parse(asked), { view: "unknown", asked });
});
