// `npm run build`: kernels (asc) -> their TypeScript interface -> dist/ (esbuild, once per condition) -> dist/types (tsc).
// A step whose inputs have not changed since it last succeeded is skipped, so that every script can start with a build.
//   --kernels  stop after the kernels and src/runtime/**/*.generated.ts    --quick  leave the types out
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { bundle } from "./build/bundle.mjs";
import { at, exists, filesUnder } from "./build/files.mjs";
import { codeOf, compileKernels, compileRelaxed, FAMILIES, FASTER } from "./build/kernels.mjs";
import { declareTypes } from "./build/types.mjs";
import { bundleWorker } from "./build/worker.mjs";

const flags = new Set(process.argv.slice(2));
const STAMPS = at("build/stamps.json");

const tools = ["assemblyscript", "esbuild", "typescript"].map((name) => at(`node_modules/${name}/package.json`));
const common = [...tools, ...filesUnder("scripts/build"), at("package.json")];
const kernels = [...common, ...filesUnder("assembly"), at("asconfig.json")];
const modules = [...FAMILIES, ...FASTER, "simd"].map((name) => `build/kernels.${name}.wasm`);
const generated = [...modules, "src/runtime/kernels.generated.ts", ...[...FAMILIES, ...FASTER].map(codeOf)];

await step("kernels", kernels, generated, compileKernels);
const worker = "src/runtime/threads/worker.generated.ts";
await step("worker", [...common, ...filesUnder("src/runtime/threads")], [worker], bundleWorker);
if (!flags.has("--kernels")) {
  await step("relaxed kernels", kernels, ["build/kernels.relaxed.wasm"], compileRelaxed);
  const source = [...common, ...filesUnder("src"), ...[...modules, "build/kernels.relaxed.wasm"].map(at)];
  await step("bundle", source, ["dist/index.js"], bundle);
  const configs = [at("tsconfig.json"), at("tsconfig.build.json")];
  if (!flags.has("--quick")) await step("types", [...source, ...configs], ["dist/types"], declareTypes);
}

/** Runs `make` unless the contents of `inputs` are those of its last success and its `outputs` are there. */
async function step(name, inputs, outputs, make) {
  const key = digest(inputs);
  if (stamps()[name] === key && outputs.every((path) => exists(at(path)))) return;
  const start = performance.now();
  await make().catch((error) => {
    console.error(`build: ${name}: ${error.message}`);
    process.exit(1);
  });
  mkdirSync(at("build"), { recursive: true });
  writeFileSync(STAMPS, JSON.stringify({ ...stamps(), [name]: key }, null, 2));
  console.error(`build: ${name} ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

function stamps() {
  return exists(STAMPS) ? JSON.parse(readFileSync(STAMPS, "utf8")) : {};
}

function digest(paths) {
  const hash = createHash("sha256");
  for (const path of paths) hash.update(`${path}\0`).update(readFileSync(path)).update("\0");
  return hash.digest("hex");
}
