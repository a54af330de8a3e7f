// That a picture which draws something else than the API answers is found out.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Drawing, Reading, type Shape } from "../browser/drawn";
import { say } from "../browser/said";

const tick = (at: number, x: number, y: number, text = String(at)): Shape => ({ key: "text.tick", points: [[x, y]], text, at });
const shape = (key: string, ...points: [number, number][]): Shape => ({ key, points, text: "", at: null });

/** From 0 to 10 along 100 pixels, and from 0 to 50 up 50 pixels. */
const drawing = (changed: (shapes: Shape[]) => Shape[] = (shapes) => shapes): Drawing => ({
  x: [0, 10, 40, 140],
  y: [0, 50, 60, 10],
  width: 150,
  height: 80,
  label: "Now 20.",
  shapes: changed([
    tick(0, 34, 64),
    tick(50, 34, 14),
    tick(0, 40, 75),
    tick(5, 90, 75),
    shape("line.grid", [40, 60], [140, 60]),
    shape("line.grid", [40, 10], [140, 10]),
    shape("path.curve", [40, 60], [90, 10], [140, 40]),
    shape("rect.band", [60, 10], [80, 60]),
    shape("line.now", [90, 10], [90, 60]),
  ]),
});

function compare(of: Drawing): string[] {
  const r = new Reading("it", of);
  r.values("path.curve", [[0, 0], [5, 50], [10, 20]]);
  r.pixels("rect.band", [[r.x(2), NaN], [r.x(4), NaN]]);
  r.vertical("line.now", 5);
  r.axes((v) => say`${v}`, (v) => say`${v}`);
  r.aloud(say`Now ${20}.`);
  return r.done();
}

test("a picture of the answer agrees with it", () => {
  assert.deepEqual(compare(drawing()), []);
});

test("whatever is drawn otherwise is told", () => {
  const move = (key: string, point: number, by: [number, number]) => (shapes: Shape[]) =>
    shapes.map((s) => (s.key === key ? { ...s, points: s.points.map(([x, y], i): [number, number] => (i === point ? [x + by[0], y + by[1]] : [x, y])) } : s));
  const cases: [string, Drawing, RegExp][] = [
    ["the first point", drawing(move("path.curve", 0, [0, 0.2])), /path.curve, point 0 of 3/],
    ["an extreme", drawing(move("path.curve", 1, [0, 0.2])), /path.curve, point 1 of 3/],
    ["the last point", drawing(move("path.curve", 2, [-0.2, 0])), /path.curve, point 2 of 3/],
    ["a point too few", drawing((all) => all.map((s) => (s.key === "path.curve" ? { ...s, points: s.points.slice(1) } : s))), /2 points, 3 expected/],
    ["no curve", drawing((all) => all.filter((s) => s.key !== "path.curve")), /0 of path.curve, 1 expected/],
    ["a second curve", drawing((all) => [...all, shape("path.curve", [40, 60])]), /2 of path.curve, 1 expected/],
    ["the band", drawing(move("rect.band", 1, [3, 0])), /rect.band, point 1/],
    ["the price", drawing(move("line.now", 0, [1, 0])), /line.now, point 0/],
    ["something nobody asked for", drawing((all) => [...all, shape("circle.dot", [1, 1])]), /nothing compares circle.dot/],
    ["a tick's place", drawing((all) => all.map((s) => (s.key === "text.tick" && s.at === 50 ? { ...s, points: [[34, 20]] } : s))), /tick 50 stands at 20/],
    ["a tick's text", drawing((all) => all.map((s) => (s.key === "text.tick" && s.at === 50 ? { ...s, text: "55" } : s))), /55/],
    ["two ticks alike", drawing((all) => all.map((s) => (s.key === "text.tick" && s.at === 5 ? { ...s, text: "0" } : s))), /two ticks say the same/],
    ["one tick alone", drawing((all) => all.filter((s) => s.at !== 50)), /1 ticks upwards/],
    ["the scale", { ...drawing(), y: [0, 60, 60, 10] }, /path.curve, point 1/],
    ["what is read aloud", { ...drawing(), label: "Now 21." }, /21 is not 20/],
  ];
  for (const [what, of, told] of cases) assert.match(compare(of).join("\n"), told, what);
});
