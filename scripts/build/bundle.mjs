// Bundles every entry of package.json's `exports` with esbuild, once per condition. An entry's source is where its `types`
// would be under src/: "./dist/types/train/index.d.ts" comes from src/train/index.ts. A new entry is one block there.
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { build } from "esbuild";
import { at, writeIfChanged } from "./files.mjs";
import { codeOf, FAMILIES, FASTER } from "./kernels.mjs";

// Edge runtimes may not compile bytes, so there each family's .wasm is imported as a module. Cloudflare takes the bare name, Vercel
// and Next.js want "?module" after it. Everywhere else the bytes are inlined (src/runtime/load.ts).
const VARIANTS = [
  { condition: "default", out: "dist" },
  { condition: "workerd", out: "dist/workerd", wasm: "" },
  { condition: "edge-light", out: "dist/edge-light", wasm: "?module" },
];

/** Libraries that entries contain, each behind its own; their licences go beside them. */
const BUNDLED = ["commander", "flatbuffers", "hono", "valibot"];

/** Files of dist/ and the builds that they are. */
const MODULES = {
  "kernels.wasm": "simd",
  "kernels.relaxed.wasm": "relaxed",
  ...Object.fromEntries(FAMILIES.map((family) => [`kernels.${family}.wasm`, family])),
};

export async function bundle() {
  const { version, peerDependencies = {} } = JSON.parse(readFileSync(at("package.json"), "utf8"));
  const written = new Set(Object.keys(MODULES).map((file) => at(`dist/${file}`)));
  for (const [file, build] of Object.entries(MODULES)) {
    writeIfChanged(at(`dist/${file}`), readFileSync(at(`build/kernels.${build}.wasm`)));
  }
  for (const variant of VARIANTS) {
    const { outputFiles } = await build({
      absWorkingDir: at("."),
      entryPoints: entriesFor(variant.condition),
      outdir: at(variant.out),
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "neutral", // no Node built-ins, no process.env: a bare import that is left over is an error
      external: Object.keys(peerDependencies), // optional: imported when they are called for
      mainFields: ["module", "main"],
      conditions: ["import"],
      target: "es2022",
      define: { __VERSION__: JSON.stringify(version) },
      chunkNames: "chunk-[hash]", // beside the entries, so that "../kernels.core.wasm" is right in each
      // Not minified: names and lines stay as written, so stack traces are readable without a source map (none is shipped,
      // as its sources would not be), and whoever bundles an application minifies this too.
      charset: "utf8",
      legalComments: "inline",
      plugins: [
        fewChunks(variant.wasm === undefined),
        ...(variant.wasm === undefined ? [] : [wasmAsModule(variant.wasm)]),
      ],
      logOverride: { "ignored-bare-import": "silent" }, // fewChunks' own
      write: false,
      logLevel: "warning",
    });
    for (const { path, contents } of outputFiles) {
      writeIfChanged(path, contents);
      written.add(path);
    }
  }
  written.add(await bundleThreads());
  for (const path of await bundleCli(version, Object.keys(peerDependencies))) written.add(path);
  written.add(writeLicenses());
  removeStale(written);
}

function writeLicenses() {
  const path = at("dist/LICENSES.txt");
  const texts = BUNDLED.map((name) => {
    const folder = at(`node_modules/${name}`);
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    return `${name}\n${"=".repeat(name.length)}\n\n${readFileSync(`${folder}/${file}`, "utf8").trim()}\n`;
  });
  writeIfChanged(path, texts.join("\n\n"));
  return path;
}

/** What src/runtime/variant.ts imports when threads are asked for: one file that stands alone, whatever a bundler makes of the others. */
async function bundleThreads() {
  const path = at("dist/threads.js");
  const { outputFiles } = await build({
    entryPoints: [at("src/runtime/threads/index.ts")],
    bundle: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    charset: "utf8",
    write: false,
    logLevel: "warning",
  });
  writeIfChanged(path, outputFiles[0].contents);
  return path;
}

/** The command line and the workers of its server: for Node alone, on the package's entries as they are. */
async function bundleCli(version, peers) {
  const entries = new Map(Object.entries(entriesFor("default")).map(([name, entry]) => [at(entry.slice(6)), name]));
  const { outputFiles } = await build({
    entryPoints: { cli: at("src/cli/main.ts"), "cli-worker": at("src/cli/worker.ts") },
    outdir: at("dist"),
    external: peers,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    charset: "utf8",
    legalComments: "inline",
    // Commander is CommonJS and requires what Node has.
    banner: {
      js: `#!/usr/bin/env node\nimport { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);`,
    },
    define: { __VERSION__: JSON.stringify(version) },
    plugins: [
      {
        name: "entries-beside",
        setup({ onResolve }) {
          onResolve({ filter: /^\.\.?\/.*\.js$/ }, ({ path, resolveDir }) => {
            const name = entries.get(join(resolveDir, path.replace(/\.js$/, ".ts")));
            return name && { path: `./${name}.js`, external: true };
          });
        },
      },
    ],
    write: false,
    logLevel: "warning",
  });
  for (const { path, contents } of outputFiles) writeIfChanged(path, contents);
  return outputFiles.map(({ path }) => path);
}

/** esbuild's `{ output name: source file }` for one condition. */
function entriesFor(condition) {
  const { exports } = JSON.parse(readFileSync(at("package.json"), "utf8"));
  const entries = Object.values(exports).filter((entry) => entry.types);
  return Object.fromEntries(
    entries.map((entry) => {
      const source = entry.types.replace("./dist/types/", "src/").replace(/\.d\.ts$/, ".ts");
      return [basename(entry[condition], ".js"), `entry:${source}`];
    }),
  );
}

/**
 * Keeps the number of files small: esbuild makes a chunk of the files that the same entries reach, so entries are made to reach
 * the same ones, by an import of nothing. All of "lanewise" is then its entry and two chunks: BASE, which light entries load
 * alone, and the core. As five files they took Node 24 7.5 ms to import, as three 5 (and more entries would make more files).
 * @param inlined whether a family is text. As a module that is imported it needs a chunk of its own, or it would be in every bundle.
 */
function fewChunks(inlined) {
  const based = FAMILIES.filter((family) => (inlined ? ["core", "sequence"].includes(family) : family === "core"));
  const inference = based.map((family) => `src/runtime/families/${family}.ts`);
  // What "lanewise/serve" needs of quantized models that callers loaded, apart from the ops that only files need.
  const quantized = "src/ops/quantized/data.ts";
  const BASE = ["src/tensor.ts", "src/runtime/kernels.ts", quantized, ...inference];
  const LIGHT = ["src/data/index.ts", "src/runtime/raw.ts"]; // entries that need no graphs
  return {
    name: "few-chunks",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^entry:/ }, ({ path }) => ({ path: path.replace("entry:", ""), namespace: "entry" }));
      onLoad({ filter: /.*/, namespace: "entry" }, ({ path }) => {
        const reached = LIGHT.includes(path) ? BASE : [...BASE, "src/index.ts"];
        const contents = `${reached.map((file) => `import "./${file}";`).join("")}export * from "./${path}";`;
        return { contents, resolveDir: at(".") };
      });
    },
  };
}

/**
 * Puts load.workerd.ts in the place of load.ts and a .wasm file in that of each family's text, for the platform to resolve. Of what is
 * faster on some engines there is nothing: a platform that does not know it would refuse all of the code.
 */
function wasmAsModule(suffix) {
  const files = new Map(FAMILIES.map((family) => [at(codeOf(family)), `../kernels.${family}.wasm${suffix}`]));
  const faster = FASTER.map((family) => at(codeOf(family)));
  return {
    name: "wasm-as-module",
    setup({ onResolve, onLoad }) {
      onLoad({ filter: /.*/, namespace: "nothing" }, () => ({ contents: "export default undefined;" }));
      onResolve({ filter: /\.js$/ }, ({ path, resolveDir }) => {
        const source = join(resolveDir, path.replace(/\.js$/, ".ts"));
        if (source === at("src/runtime/load.ts")) return { path: at("src/runtime/load.workerd.ts") };
        if (faster.includes(source)) return { path, namespace: "nothing", sideEffects: false };
        const wasm = files.get(source);
        return wasm && { path: wasm, external: true, sideEffects: false };
      });
    },
  };
}

function removeStale(written) {
  for (const entry of readdirSync(at("dist"), { recursive: true, withFileTypes: true })) {
    const path = `${entry.parentPath}/${entry.name}`;
    if (!entry.isFile() || written.has(path) || relative(at("dist"), path).startsWith("types/")) continue;
    rmSync(path);
  }
}
