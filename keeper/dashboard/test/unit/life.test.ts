import assert from "node:assert/strict";
import { test } from "node:test";
import { BLIND_AFTER_MS, DEAD_AFTER, isOld, LATE_AFTER, lifeOf } from "../../src/live/life";

const heard = { silence_ms: 200, ever: true, heartbeat_ms: 1000, slot_age_ms: 400 };

test("silence makes a keeper late, then dead", () => {
  assert.equal(lifeOf(heard), "live");
  assert.equal(lifeOf({ ...heard, silence_ms: LATE_AFTER * 1000 }), "live");
  assert.equal(lifeOf({ ...heard, silence_ms: LATE_AFTER * 1000 + 1 }), "late");
  assert.equal(lifeOf({ ...heard, silence_ms: DEAD_AFTER * 1000 }), "late");
  assert.equal(lifeOf({ ...heard, silence_ms: DEAD_AFTER * 1000 + 1 }), "dead");
});

test("silence is counted in the keeper's own heartbeats", () => {
  assert.equal(lifeOf({ ...heard, silence_ms: 7_000, heartbeat_ms: 5_000 }), "live");
  assert.equal(lifeOf({ ...heard, silence_ms: 700, heartbeat_ms: 100 }), "dead");
});

test("a keeper that speaks and sees no slots is blind; one that is silent is dead first", () => {
  assert.equal(lifeOf({ ...heard, slot_age_ms: BLIND_AFTER_MS }), "live");
  assert.equal(lifeOf({ ...heard, slot_age_ms: BLIND_AFTER_MS + 1 }), "blind");
  assert.equal(lifeOf({ ...heard, slot_age_ms: 60_000, silence_ms: 60_000 }), "dead");
});

test("before the first word the page waits, then says that nobody answers", () => {
  assert.equal(lifeOf({ ...heard, ever: false }), "starting");
  assert.equal(lifeOf({ ...heard, ever: false, silence_ms: 6_001 }), "dead");
});

test("dead and blind numbers are old, late ones not yet", () => {
  assert.deepEqual((["dead", "blind", "late", "live", "starting"] as const).map(isOld), [true, true, false, false, false]);
});
