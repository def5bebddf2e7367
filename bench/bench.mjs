// `npm run bench`: single ops against the roofs of this engine, models against the floor of their arithmetic, the training step call by
// call, and what a first prediction costs in a fresh process and on Workers. What can be is measured in alternation within this one
// process (measure.mjs).
//   --only TEXT  rows whose section or name holds TEXT     --json  JSON instead of tables
//   --save  also writes results/bench-node<major>.json     --rounds N  default 12
//   --by min  the fastest calls instead of the medians, for a machine that has other work
//   --math relaxed  ops and models with fused multiply-add, where the engine has it
import { coldRows, coldTable } from "./cold.mjs";
import { kernelRows, mathOf } from "./kernels.mjs";
import { heading, machine, mathSuffix, NODE, onRound, publish } from "./machine.mjs";
import { measure } from "./measure.mjs";
import { modelRows } from "./models.mjs";
import { opRows } from "./ops.mjs";
import { BY, MATH, readOptions } from "./options.mjs";
import { profileStep } from "./profile.mjs";
import { againstRoofs, roofRows } from "./roofs.mjs";
import { roofsWasm } from "./roofs-wasm.mjs";
import { digits, kernelTable, percent, table } from "./table.mjs";
import { wanted } from "./wanted.mjs";
import { workerdRows } from "./workerd-cpu.mjs";

const PROFILED = 32; // the batch of the step that is taken apart
const PROCESSES = 2; // fresh processes a round, of two that do nothing and something

const options = readOptions("bench", 12, { ...MATH, ...BY });
const how = { math: options.math };
const math = await mathOf(how);
const asked = wanted(options.only);

const roofs = await roofRows(await WebAssembly.compile(await roofsWasm()));
const tasks = [
  ...roofs,
  ...(await kernelRows(asked, how)),
  ...(await opRows(asked, math)),
  ...(await modelRows(asked, how)),
];
const times = await measure(tasks, { rounds: options.rounds, onRound });
const measured = tasks.map(({ run, before, ...row }, i) => ({
  ...row,
  ...times[i],
  ...(options.by === "min" && { ms: times[i].min }),
}));
const rows = againstRoofs(measured, measured.slice(0, roofs.length));
const peak = rows[0].gflops;
for (const row of rows) if (row.section === "model") row.floor = row.flops / peak / 1e6;

const name = `training step batch ${PROFILED}, call by call`;
const profile = asked({ section: "profile", name }) ? await profileStep(PROFILED) : [];
const cold = asked({ section: "cold start", name: "" }) ? coldRows(PROCESSES * options.rounds) : [];
const workerd = asked({ section: "workerd CPU", name: "" }) ? await workerdRows(options.rounds) : { rows: [] };
rows.push(...cold, ...workerd.rows);

const report = { ...machine(), math, peak, rows, profile, ...(workerd.skipped && { skipped: [workerd.skipped] }) };
publish(`bench-${NODE}${mathSuffix(math)}`, report, text(), options);

function text() {
  const of = (section) => rows.filter((row) => row.section === section);
  const section = (title, kind = title) => of(kind).length > 0 && kernelTable(title, of(kind));
  const models = of("model").map(({ name, ms, spread, samples, floor }) => [
    name,
    digits(ms),
    percent(spread),
    digits((1000 * samples) / ms),
    digits(floor),
    (ms / floor).toFixed(2),
  ]);
  const calls = profile.map(({ kernel, sizes, ms, share, gflops }) => [
    `${kernel} ${Object.values(sizes).join(" ")}`,
    digits(ms),
    percent(share),
    digits(gflops),
  ]);
  const total = profile.reduce((sum, { ms }) => sum + ms, 0);
  return [
    `${heading(report)}; ${math} kernels`,
    `ms: ${options.by === "min" ? "the fastest" : "median"} of all calls; spread: distance of the quartiles, of the median; ` +
      "of roof: the time that arithmetic\nat the peak, or moving the bytes at the speed of the cache that holds them, would take at " +
      "least, of the time that it took",
    section("roof"),
    section("kernel"),
    section("gradient"),
    section("op"),
    section("op"), // every op of test/cases.ts
    models.length > 0 &&
      `floor: direct arithmetic at the peak of ${digits(peak)} GFLOP/s\n` +
        table(["model", "ms", "spread", "samples/s", "floor ms", "x floor"], models),
    calls.length > 0 &&
      table([`${name}, fastest`, "ms", "share", "GFLOP/s"], [...calls, ["all", digits(total), "", ""]]),
    cold.length > 0 && coldTable(`cold start: medians of ${PROCESSES * options.rounds} fresh processes`, cold),
    workerd.skipped && `workerd CPU: SKIPPED, ${workerd.skipped}`,
    workerd.rows.length > 0 && coldTable(`workerd CPU: medians of ${options.rounds} fresh processes`, workerd.rows),
  ]
    .filter(Boolean)
    .join("\n\n");
}
