// `npm run bench`: kernels against the roof of this engine, models against the floor of their arithmetic, and the training step
// call by call. Everything is measured in alternation within this one process (measure.mjs).
//   --only TEXT  rows whose section or name holds TEXT     --json  JSON instead of tables
//   --save  also writes results/bench-node<major>.json     --rounds N  default 12
import { parseArgs } from "node:util";
import { kernelRows } from "./kernels.mjs";
import { machine, publish } from "./machine.mjs";
import { measure } from "./measure.mjs";
import { modelRows } from "./models.mjs";
import { roofs } from "./peak.mjs";
import { profileStep } from "./profile.mjs";
import { digits, percent, table } from "./table.mjs";

const PROFILED = 32; // the batch of the step that is taken apart

const { values: options } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    rounds: { type: "string", default: "12" },
    json: { type: "boolean", default: false },
    save: { type: "boolean", default: false },
  },
});
const wanted = ({ section, name }) => `${section} ${name}`.includes(options.only);

const candidates = [...(await kernelRows()), ...(await modelRows())];
const tasks = [...(await roofs()), ...candidates.filter(wanted)];
const times = await measure(tasks, { rounds: Number(options.rounds) });
const rows = tasks.map(({ run, ...row }, i) => ({ ...row, ...times[i] }));
const peak = rows[0].flops / rows[0].ms / 1e6;
const profile = wanted({ section: "profile", name: `training step, batch ${PROFILED}` })
  ? await profileStep(PROFILED)
  : [];

for (const row of rows) {
  if (row.bytes) row.gbps = row.bytes / row.ms / 1e6;
  if (!row.flops) continue;
  row.gflops = row.flops / row.ms / 1e6;
  row.floor = row.flops / peak / 1e6;
}

publish("bench", { ...machine(), peak, rows, profile }, text(), options);

function text() {
  const { cpu, runtime, commit, date } = machine();
  const common = ({ name, ms, spread }) => [name, digits(ms), percent(spread)];
  const of = (section) => rows.filter((row) => row.section === section);
  const kernels = [...of("roof"), ...of("kernel")].map((row) => [
    ...common(row),
    digits(row.gflops),
    percent(row.gflops && row.gflops / peak),
    digits(row.gbps),
  ]);
  const models = of("model").map((row) => [
    ...common(row),
    digits((1000 * row.samples) / row.ms),
    digits(row.floor),
    (row.ms / row.floor).toFixed(2),
  ]);
  const calls = profile.map(({ kernel, sizes, ms, share, gflops }) => [
    `${kernel} ${Object.values(sizes).join(" ")}`,
    digits(ms),
    percent(share),
    digits(gflops),
  ]);
  const total = profile.reduce((sum, { ms }) => sum + ms, 0);
  return [
    `${cpu}; ${runtime}; ${commit}; ${date}`,
    "ms: median of all calls; spread: distance of the quartiles, of it",
    table(["kernel", "ms", "spread", "GFLOP/s", "of peak", "GB/s"], kernels),
    models.length > 0 &&
      `floor: direct arithmetic at the peak of ${digits(peak)} GFLOP/s\n` +
        table(["model", "ms", "spread", "samples/s", "floor ms", "x floor"], models),
    calls.length > 0 &&
      table(
        [`training step, batch ${PROFILED}, call by call`, "ms", "share", "GFLOP/s"],
        [...calls, ["all", digits(total), "", ""]],
      ),
  ]
    .filter(Boolean)
    .join("\n\n");
}
