// Node cannot read TypeScript: tests are bundled into build/ and run from there. `unit`, `browser [NAME]`, `fixture`, `shots DIR`.
import { spawnSync } from "node:child_process";
import { readdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const [what = "unit", ...rest] = process.argv.slice(2);
const suites = { unit: "test/unit", browser: "test/browser" };
const programs = { fixture: "test/fixture/main.ts", shots: "test/shots.ts" };

const suite = suites[what];
const named = rest.filter((word) => !word.startsWith("-"));
const entries = suite
  ? (await readdir(root + suite)).filter((name) => name.endsWith(".test.ts") && (named.length === 0 || named.some((word) => name.includes(word)))).map((name) => `${suite}/${name}`)
  : [programs[what] ?? fail(`nothing is called ${what}`)];
if (entries.length === 0) fail(`no test is called ${named.join(" or ")}`);

await rm(`${root}build`, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: entries,
  outdir: "build",
  bundle: true,
  packages: "external",
  platform: "node",
  format: "esm",
  target: "node20",
  sourcemap: "inline",
  jsx: "automatic",
  jsxImportSource: "preact",
  logLevel: "warning",
});
const files = entries.map((name) => `build/${name.split("/").at(-1).replace(/ts$/, "js")}`);
const only = rest.filter((word) => word.startsWith("--test-"));
const args = suite ? ["--test", ...only, "--test-concurrency=1", "--test-reporter=spec", ...files] : [...files, ...rest];
const { status } = spawnSync(process.execPath, ["--enable-source-maps", ...args], { cwd: root, stdio: "inherit" });
process.exit(status ?? 1);

function fail(message) {
  console.error(message);
  process.exit(2);
}
