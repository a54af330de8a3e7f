import assert from "node:assert/strict";
import { test } from "node:test";
import { PAGE, ROW_HEIGHT, scrollTo, windowOf } from "../../src/book/window";

test("at the top the first page suffices", () => {
  assert.deepEqual(windowOf(0, 10 * ROW_HEIGHT, 10_000), { from: 0, to: 14, page: 0, second: null });
});

test("a window over the end of a page needs the next one too", () => {
  const w = windowOf(95 * ROW_HEIGHT, 10 * ROW_HEIGHT, 10_000);
  assert.deepEqual(w, { from: 91, to: 109, page: 0, second: PAGE });
});

test("at the end nothing is drawn beyond it", () => {
  const w = windowOf(9_990 * ROW_HEIGHT, 10 * ROW_HEIGHT, 10_000);
  assert.deepEqual(w, { from: 9_986, to: 10_000, page: 9_900, second: null });
});

test("a list that became shorter than what was scrolled to shows its end", () => {
  const w = windowOf(5_000 * ROW_HEIGHT, 10 * ROW_HEIGHT, 3);
  assert.equal(w.page, 0);
  assert.ok(w.from < 3 && w.to <= 3);
});

test("every row can be reached, and is drawn when it is seen", () => {
  for (let row = 0; row < 1_000; row += 7) {
    const top = scrollTo(row, 0, 600, ROW_HEIGHT);
    const w = windowOf(top, 600, 1_000);
    assert.ok(w.from <= row && row < w.to, `row ${row} in ${JSON.stringify(w)}`);
    assert.ok((row + 1) * ROW_HEIGHT <= top + 600, `row ${row} is below the box`);
  }
});

test("a row that is seen is not scrolled to", () => {
  assert.equal(scrollTo(12, 10 * ROW_HEIGHT, 600, ROW_HEIGHT), 10 * ROW_HEIGHT);
});
