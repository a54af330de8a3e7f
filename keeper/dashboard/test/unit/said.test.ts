import assert from "node:assert/strict";
import { test } from "node:test";
import { difference, say } from "../browser/said";

test("a shown number is the answer's as far as it is shown", () => {
  for (const [shown, said] of [
    ["1,234", say`${"1233.6"}`],
    ["−0.73", say`${-0.731}`],
    ["+12k", say`${12_345}`],
    ["1.2M", say`${"1234567.000000"}`],
    ["≈0", say`${1e-7}`],
    ["–", say`${null}`],
    ["2.4\u202f%", say`${2.43} %`],
    ["24 h −1.50 · +0.02 %", say`24 h ${-1.5} · ${0.0234} %`],
    ["#7 desk", say`#${7} ${"desk"}`],
    ["9 s", say`${{ of: ["8 s", "9 s"] }}`],
    ["slot 12,005", say`slot ${{ from: 12_000, to: 12_010 }}`],
  ] as const) {
    assert.equal(difference(shown, said), null, shown);
  }
});

test("another number, another word and a number too many are told", () => {
  for (const [shown, said] of [
    ["1,234", say`${1235}`],
    ["0.73", say`${-0.73}`],
    ["12k", say`${13_600}`],
    ["0", say`${null}`],
    ["–", say`${0}`],
    ["≈0", say`${0}`],
    ["2.4 %", say`${0.024} %`],
    ["#7 desk", say`#${7} ${"bank"}`],
    ["1 2", say`${1}`],
    [undefined, say`${1}`],
  ] as const) {
    assert.notEqual(difference(shown, said), null, String(shown));
  }
});
