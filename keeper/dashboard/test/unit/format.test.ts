import assert from "node:assert/strict";
import type { MarketName } from "../../src/contract";
import { test } from "node:test";
import { marketWord, named } from "../../src/format/named";
import { axis, bps, bpsBare, compact, money, move, num, percent, price, said, short, slowly, times, tokens, tokensShort } from "../../src/format/number";
import { age, clock, date, span } from "../../src/format/time";
import { actionWord, sentence } from "../../src/format/words";
import { headline } from "../../src/position/sentence";
import { distance, severity } from "../../src/format/danger";
import { explorerLink } from "../../src/position/actions";

test("numbers have a true minus, grouped thousands and no negative zero", () => {
  assert.equal(num(-1234.5, 1), "−1,234.5");
  assert.equal(num(-0.001, 2), "0.00");
  assert.equal(num(-0.001, 2, true), "0.00");
  assert.equal(num(2, 0, true), "+2");
  assert.equal(num(1e21), "1,000,000,000,000,000,000,000");
});

test("what there is none of is a dash, never zero", () => {
  for (const nothing of [null, undefined, "", NaN, Infinity]) assert.equal(num(nothing), "–");
  assert.equal(money(null), "–");
  assert.equal(bps(null), "–");
  assert.equal(percent(undefined), "–");
  assert.equal(move(null, 200), "–");
  assert.equal(times(null), "∞");
});

test("places follow the size", () => {
  assert.deepEqual(["12345.678", "123.456", "1.23456", "0.0123456", "0.000001234", "0.000000001"].map((v) => tokens(v)), ["12,346", "123.5", "1.23", "0.0123", "0.000001", "≈0"]);
  assert.equal(tokens(-1e-9, true), "≈0");
  assert.equal(tokens("0.000000000"), "0");
  assert.deepEqual([99.5, -100.5].map((v) => money(v, true)), ["+99.50", "−101"]);
  assert.deepEqual([206.0249, 0.83121, 0.00001234567].map((v) => price(v)), ["206.02", "0.83121", "0.000012346"]);
  assert.deepEqual([999, 1_250, 41_250, 4_125_000, 123_456_789, 12_345_678_901].map((v) => compact(v)), ["999", "1.3k", "41k", "4.1M", "123M", "12B"]);
});

test("words of the API get a true minus and lose places that are zero", () => {
  assert.deepEqual(["-50.00 %", "10.05 SOL", "0 s", "2 of 20", "50.00 % a year", "not judged", "rpc-1"].map(said), ["−50 %", "10.05 SOL", "0 s", "2 of 20", "50 % a year", "not judged", "rpc-1"]);
  assert.deepEqual(["9.999949158 SOL", "-0.12345678 %", "1234.567891 SOL", "4.1830 SOL"].map(said), ["10 SOL", "−0.1235 %", "1,235 SOL", "4.1830 SOL"]);
});

test("a share's price keeps what it grew by", () => {
  assert.deepEqual([1.004182, 0.001, 0.00100123].map(slowly), ["1.004182", "0.001000000", "0.001001230"]);
});

test("percent is part of the number, in columns it stands in the head", () => {
  assert.equal(bps(-123, 1, true), "−1.2\u202f%");
  assert.equal(bpsBare(-123, 1, true), "−1.2");
  assert.equal(times(29_712), "2.97×");
});

test("times are UTC", () => {
  assert.equal(clock(1_790_000_000), "14:13:20");
  assert.equal(date(1_790_000_000), "2026-09-21 14:13");
  assert.equal(clock(null), "–");
  assert.deepEqual([59, 61, 3_700, 90_000].map(span), ["59\u202fs", "1\u202fmin", "1\u202fh 01\u202fmin", "1\u202fd 1\u202fh"]);
  assert.equal(age(90_000), "1\u202fd");
});

test("a reason becomes a sentence once", () => {
  assert.equal(sentence("oracle looks wrong"), "Oracle looks wrong.");
  assert.equal(sentence("Done."), "Done.");
});

test("the headline ends with the first sentence, not inside a number", () => {
  assert.deepEqual(headline("Nothing is due. Falls 8.3 % to 190.81: rehedge."), ["Nothing is due.", "Falls 8.3 % to 190.81: rehedge."]);
  assert.deepEqual(headline("Rehedge is due: long by 0.25 SOL."), ["Rehedge is due:", "long by 0.25 SOL."]);
  assert.deepEqual(headline("Nothing is due"), ["Nothing is due", ""]);
});

test("danger is told by days of usual movement", () => {
  const near = (sigma_days: number) => ({ side: "lower" as const, distance_bps: -250, sigma_days });
  assert.deepEqual([0.9, 1, 1.9, 2].map((d) => severity(near(d))), ["critical", "warn", "warn", ""]);
  assert.equal(severity(null), "");
  const over = { side: "upper" as const, distance_bps: -120, sigma_days: 3 };
  assert.equal(severity(over), "critical", "beyond the boundary is worst, however far beyond");
  assert.equal(distance(over), "reached");
  assert.equal(distance({ side: "lower", distance_bps: 0, sigma_days: 0 }), "reached");
  assert.equal(distance(near(1)), "↓\u202f2.5\u202f%");
});

test("an address is shortened, a short word is not", () => {
  assert.equal(short("Bgkh719G4MQP5HHh91zRYztrn8oLfUD5Dgt6PFf4ayJU"), "Bgkh…ayJU");
  assert.equal(short("fixture"), "fixture");
});

test("a link leads to a web page and nowhere else", () => {
  assert.equal(explorerLink("https://e.example/tx/{signature}", "a b"), "https://e.example/tx/a%20b");
  assert.equal(explorerLink("javascript:alert(1)//{signature}", "x"), null);
  assert.equal(explorerLink(null, "x"), null);
  assert.equal(explorerLink("https://e.example/{signature}", null), null);
});

test("tokens in a narrow cell have room, however few or many they are", () => {
  const shown = [0, -0.000038, 0.0000499, 0.00051, 0.0123, -4321.5, 99_999, 123_456, -12_345_678].map((value) => tokensShort(value, true));
  assert.deepEqual(shown, ["0", "≈0", "≈0", "+0.0005", "+0.0123", "−4,322", "+99,999", "+123k", "−12M"]);
});

test("along an axis no two values are told the same, and each is told whole", () => {
  for (const [at, said] of [
    [[0, 20, 40], ["0", "20", "40"]],
    [[-0.05, 0, 0.05], ["−0.05", "0", "0.05"]],
    [[0.825, 0.85], ["0.825", "0.850"]],
    [[96_250, 96_500, 96_750], ["96.25k", "96.50k", "96.75k"]],
    [[96_000, 96_005], ["96,000", "96,005"]],
    [[0, 25_000, 50_000], ["0", "25k", "50k"]],
    [[10_000_000, 12_500_000], ["10.0M", "12.5M"]],
    [[2.5e-5, 5e-5], ["0.000025", "0.000050"]],
  ] as const) {
    assert.deepEqual(axis(at), said);
  }
  assert.deepEqual(axis([66, 67.5], "%"), ["66.0%", "67.5%"]);
  assert.deepEqual(axis([]), []);
});

test("a position is told with its market where there are several, and by the pair where the base token does not tell it", () => {
  const market = (market: string, base: string, quote: string) => ({ market, pool: "", base, quote, name: `${base}/${quote}`, price: 1, pool_price: 1, positions: 1, stage: 0 }) as unknown as MarketName;
  const [sol, jup, solt] = [market("a", "SOL", "USDC"), market("b", "JUP", "USDC"), market("c", "SOL", "USDT")];
  assert.equal(named([sol], 3, "a"), "#3");
  assert.equal(named([sol, jup], 3, "b"), "#3 JUP");
  assert.equal(named([sol, jup, solt], 3, "a"), "#3 SOL/USDC");
  assert.equal(named([sol, jup, solt], null, "c"), "#? SOL/USDT");
  assert.equal(named([sol, jup], 3, "gone"), "#3");
  assert.equal(marketWord([sol, jup, solt], "b"), "JUP");
});

test("an action has words, not the name of a field", () => {
  assert.deepEqual(["deleverage_swap", "refresh_price", "rehedge"].map(actionWord), ["deleverage swap", "refresh price", "rehedge"]);
});
