import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { clusterUrl, command } from "../../src/commands";

const POSITION = "Bgkh719G4MQP5HHh91zRYztrn8oLfUD5Dgt6PFf4ayJU";

test("a command has what is known filled in, as a shell takes it, and names what is not", () => {
  assert.equal(command("pause", { POSITION, REASON: "owner's move" }), `ballast pause ${POSITION} --reason 'owner'\\''s move' --config FILE`);
  assert.equal(command("reduce", { REASON: "thin" }), "ballast reduce --reason thin --config FILE");
  assert.equal(command("reduce", { REASON: "POSITION $(x)", POSITION }), `ballast reduce ${POSITION} --reason 'POSITION $(x)' --config FILE`);
  assert.equal(command("positions", { URL: "devnet" }), "ballast positions --all --url devnet");
  assert.equal(command("positions", { URL: "devnet", MARKET: POSITION }), `ballast positions --all --url devnet --market ${POSITION}`);
  assert.equal(command("deleverage", { URL: null }), "ballast deleverage POSITION --url URL");
  assert.deepEqual(["mainnet", "local", undefined].map(clusterUrl), ["mainnet", null, null]);
});

test("no command stands anywhere else in the page's sources", async () => {
  const files = (await readdir("src", { recursive: true })).filter((name) => /\.tsx?$/.test(name) && !name.endsWith("api.ts"));
  assert.ok(files.length > 50, `${files.length} files`);
  for (const file of files) {
    const code = (await readFile(`src/${file}`, "utf8")).split("\n").filter((line) => !/^\s*(\/\/|\*|\/\*\*)/.test(line)).join("\n");
    assert.doesNotMatch(code, /\bballast(-keeper)? (?=[a-z-])|systemctl/, file);
  }
});
