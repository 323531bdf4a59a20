// Builds the browser code: src/*.ts and src/styles/*.css to dist/, with content
// hashes in the names, and dist/manifest.json, which the Go side reads.
import { build } from "esbuild";
import { PurgeCSS } from "purgecss";
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";

const out = "dist";
const placeholder = "The front-end build writes its output here; `make build` runs it.\n";
const scripts = ["theme", "app", "experiment", "play", "admin"];
const styles = ["app", "play", "admin"];
// Class names that templates and scripts put together from parts.
const kept = [/^data-bs-theme/, /^htmx-/, /^is-/, /^pad-/, /^seat-/, /^notice-/, /^check-/, /^chip-/];

const hashed = (name, ext, data) =>
  `${name}-${createHash("sha256").update(data).digest("hex").slice(0, 10).toUpperCase()}${ext}`;

// A rebuild leaves no file behind that nothing names any more.
async function clear() {
  await mkdir(out, { recursive: true });
  for (const file of await readdir(out)) {
    if (file !== ".keep") await rm(join(out, file), { recursive: true });
  }
  await writeFile(join(out, ".keep"), placeholder);
}

async function bundleScripts(manifest) {
  const common = { bundle: true, minify: true, metafile: true, outdir: out, target: "es2022", legalComments: "none",
    entryNames: "[name]-[hash]", chunkNames: "chunk-[hash]" };
  // theme.js runs before the first paint, so it is no module.
  const early = await build({ ...common, entryPoints: ["src/theme.ts"], format: "iife" });
  const modules = await build({ ...common, format: "esm", splitting: true,
    entryPoints: scripts.filter((s) => s !== "theme").map((s) => `src/${s}.ts`) });
  for (const { metafile } of [early, modules]) {
    for (const [path, info] of Object.entries(metafile.outputs)) {
      if (!info.entryPoint) continue;
      manifest[`${basename(info.entryPoint, ".ts")}.js`] = {
        file: basename(path),
        imports: info.imports.filter((i) => i.kind === "import-statement").map((i) => basename(i.path)),
      };
    }
  }
}

// Bootstrap is bundled whole and then stripped of every rule that no template
// and no script can use.
async function bundleStyles(manifest) {
  for (const name of styles) {
    const { outputFiles } = await build({ entryPoints: [`src/styles/${name}.css`], bundle: true, write: false, target: "es2022",
      legalComments: "none", external: ["/static/*"] });
    const [purged] = await new PurgeCSS().purge({
      content: ["templates/*.html", "src/**/*.ts", "*.go"],
      css: [{ raw: outputFiles[0].text }],
      // The tokens of one style sheet are used by the others.
      safelist: { standard: kept, variables: [/^--s-/, /^--bs-/] },
      variables: true,
    });
    const small = await build({ stdin: { contents: purged.css, loader: "css" }, minify: true, write: false, target: "es2022" });
    const file = hashed(name, ".css", small.outputFiles[0].text);
    await writeFile(join(out, file), small.outputFiles[0].text);
    manifest[`${name}.css`] = { file, imports: [] };
  }
}

async function copyIcons(manifest) {
  for (const icon of await readdir("src/icons")) {
    const data = await readFile(join("src/icons", icon));
    const ext = icon.slice(icon.lastIndexOf("."));
    const file = hashed(basename(icon, ext), ext, data);
    await writeFile(join(out, file), data);
    manifest[icon] = { file, imports: [] };
  }
}

const manifest = {};
await clear();
await bundleScripts(manifest);
await bundleStyles(manifest);
await copyIcons(manifest);
// Last, and in one move: a half-finished build has no manifest.
await writeFile(join(out, "manifest.tmp"), JSON.stringify(manifest, null, 2) + "\n");
await rename(join(out, "manifest.tmp"), join(out, "manifest.json"));
