// `npm run bench:deno`, `bench:bun`, `bench:workerd`, `bench:browser`: the kernel rows of `npm run bench` in another runtime.
//   --only TEXT  rows whose section or name holds TEXT     --json  JSON instead of tables
//   --save  also writes ../results/bench-<runtime>.json    --rounds N  default 12
//   --math relaxed  with fused multiply-add, where the engine has it
import { heading, machine, mathSuffix, onRound, publish } from "../machine.mjs";
import { MATH, readOptions } from "../options.mjs";
import { kernelTable } from "../table.mjs";
import { browser } from "./browser.mjs";
import { bun, deno } from "./commands.mjs";
import { workerd } from "./workerd.mjs";

const RUNTIMES = { deno, bun, workerd, browser };
const [asked] = process.argv.splice(2, 1);
if (!Object.hasOwn(RUNTIMES, asked)) {
  console.error(`bench: expected one of ${Object.keys(RUNTIMES).join(", ")}, got '${asked ?? ""}'`);
  process.exit(2);
}
const options = readOptions(`bench:${asked}`, 12, MATH);

const results = await RUNTIMES[asked](options, onRound).catch((error) => {
  console.error(`bench:${asked}: ${error.message}`);
  process.exit(1);
});
for (const { name, runtime, math, rows } of results) {
  const report = { ...machine(runtime), math, peak: rows[0].gflops, rows };
  publish(`bench-${name}${mathSuffix(math)}`, report, text(report), options);
}

function text(report) {
  const sections = ["roof", "kernel", "gradient"].map((section) => [
    section,
    report.rows.filter((row) => row.section === section),
  ]);
  const tables = sections.filter(([, rows]) => rows.length > 0).map(([section, rows]) => kernelTable(section, rows));
  return [`${heading(report)}; ${report.math} kernels`, ...tables].join("\n\n");
}
