// One file from many, by esbuild: the entries of the runtimes, and the tests' own means to start a browser or workerd.
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { FAMILIES } from "../../scripts/build/kernels.mjs";
import { roofsWasm } from "../roofs-wasm.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The folder that all goes to. */
export const FOLDER = `${ROOT}build/bench`;

const KERNELS = [...FAMILIES, "relaxed"].map((name) => `kernels.${name}.wasm`);

/** The modules that FOLDER has after a bundle. */
export const WASM = [...KERNELS, "roofs.wasm"];

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

/**
 * Bundles an entry of this folder with the package that `conditions` name into FOLDER, and puts WASM beside it. Modules that
 * end in .wasm are left to the runtime.
 */
export async function bundle(entry, { conditions = [], platform = "neutral", outfile = entry } = {}) {
  await build({
    entryPoints: [at(entry)],
    outfile: `${FOLDER}/${outfile}`,
    bundle: true,
    format: "esm",
    platform,
    conditions: [...conditions, "import"],
    external: ["*.wasm", "node:*"],
    logLevel: "warning",
  });
  for (const file of KERNELS) copyFileSync(`${ROOT}dist/${file}`, `${FOLDER}/${file}`);
  writeFileSync(`${FOLDER}/roofs.wasm`, await roofsWasm());
}

/** A module of test/, which is TypeScript. */
export async function fromTests(path) {
  const outfile = `${FOLDER}/${basename(path)}.mjs`;
  const entryPoints = [`${ROOT}test/${path}.ts`];
  await build({ entryPoints, outfile, bundle: true, format: "esm", platform: "node", packages: "external" });
  return import(pathToFileURL(outfile).href);
}

/** The version of a package of node_modules. */
export const versionOf = (name) =>
  JSON.parse(readFileSync(createRequire(import.meta.url).resolve(`${name}/package.json`), "utf8")).version;
