// src/ -> dist/: four files, no source map, the same bytes for the same sources. `--watch` builds again after each change.
import { copyFile, mkdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { context } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const watch = process.argv.includes("--watch");

await rm(`${root}dist`, { recursive: true, force: true });
await mkdir(`${root}dist`);
for (const file of ["index.html", "icon.svg"]) await copyFile(`${root}src/${file}`, `${root}dist/${file}`);

const building = await context({
  absWorkingDir: root,
  entryPoints: { app: "src/main.tsx", style: "src/styles/main.css" },
  outdir: "dist",
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  banner: { js: "/* Built from keeper/dashboard/src. Contains Preact (MIT, Jason Miller). */" },
});
if (watch) await building.watch();
else {
  await building.rebuild();
  await building.dispose();
}
