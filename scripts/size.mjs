// `npm run size`: what importing the built package costs, minified and gzipped (level 9), kernels included. Fails above the limit.

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { at } from "./build/files.mjs";
import { FAMILIES } from "./build/kernels.mjs";

const LIMIT = 60_000; // bytes of gzip for the line below, see "Size and cold start" in the README
const CNN = 'export { build, load, input, sequential, conv2d, maxPooling2d, flatten, dense } from "lanewise";';

const { exports } = JSON.parse(readFileSync(at("package.json"), "utf8"));
const entries = Object.keys(exports).filter((name) => exports[name].types);
const rows = [["build and run a CNN", ...(await cost(CNN))]];
for (const name of entries) {
  const specifier = name.replace(".", "lanewise");
  rows.push([specifier, ...(await cost(`export * from "${specifier}";`))]);
}
for (const file of ["kernels.wasm", ...FAMILIES.map((family) => `kernels.${family}.wasm`)]) {
  const wasm = readFileSync(at(`dist/${file}`));
  rows.push([file, wasm.length, gzipSync(wasm, { level: 9 }).length]);
}

for (const [name, min, gzip] of [["import", "minified", "gzip"], ...rows]) {
  console.log(name.padEnd(24) + String(min).padStart(10) + String(gzip).padStart(10));
}
const total = rows[0][2];
console.log(`${total <= LIMIT ? "ok" : "TOO LARGE"}: a CNN costs ${total} bytes of at most ${LIMIT}`);
process.exitCode = total <= LIMIT ? 0 : 1;

async function cost(contents) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: at(".") },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    write: false,
    logLevel: "error", // entries import chunks for nothing but their number (scripts/build/bundle.mjs)
  });
  const [{ contents: bytes }] = outputFiles;
  return [bytes.length, gzipSync(bytes, { level: 9 }).length];
}
