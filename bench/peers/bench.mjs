// `npm run bench:peers`: the rows of ../rows.mjs and ../rows-int8.mjs and the Keras CNN in Lanewise, TF.js wasm, ONNX Runtime Web, jax-js, LiteRT.js and,
// where python3 has it, PyTorch: the same numbers, one thread each, one run, in alternation; results are compared before anything is
// timed.
//   --only TEXT  rows whose section or name holds TEXT     --json  JSON instead of a table
//   --save  also writes ../results/peers-node<major>.json  --rounds N  default 20
//   --by min  ratios of the fastest calls instead of the medians, for a machine that has other work
import { execFileSync } from "node:child_process";
import { operands } from "../kernels.mjs";
import { operands as integers } from "../kernels-int8.mjs";
import { heading, machine, NODE, publish } from "../machine.mjs";
import { summary } from "../measure.mjs";
import { BY, readOptions } from "../options.mjs";
import { rows as ops } from "../rows.mjs";
import { rows as int8Ops } from "../rows-int8.mjs";
import { digits, times as over, percent, table } from "../table.mjs";
import { wanted } from "../wanted.mjs";
import { compare } from "./compare.mjs";
import { install } from "./install.mjs";
import { job } from "./job.mjs";
import * as lanewise from "./lanewise.mjs";
import * as pytorch from "./pytorch.mjs";

const FILES = ["./tfjs.mjs", "./ort.mjs", "./jax.mjs", "./litert.mjs"];
const OURS = "./lanewise.mjs";

const MODELS = [
  { name: "Keras CNN, predict batch 1", task: "predict", batch: 1, goal: { "TF.js wasm": 0.4, torch: 1 } },
  { name: "Keras CNN, predict batch 32", task: "predict", batch: 32, goal: { best: 0.5 } },
  { name: "Keras CNN, training step batch 32", task: "train", batch: 32, goal: { torch: 1 } },
  { name: "Keras CNN, training step batch 128", task: "train", batch: 128, goal: { torch: 1 } },
].map((row) => ({ section: "model", ...row }));
const COLD = { section: "cold start", name: "import to first prediction" };

const options = readOptions("bench:peers", 20, BY);
const by = options.by === "min" ? "min" : "ms"; // the key of what ratios are of
const asked = wanted(options.only);
const skipped = []; // peers, and rows at peers, each with the reason
const failures = new Map(); // from reason to rows
const versions = tryTo(install);
const peers = [lanewise, ...(await loaded())];

const rows = [];
for (const row of ops.map((row) => ({ section: "kernel", ...row })).filter(asked)) {
  const data = operands(row);
  const also = {};
  if (row.goal.row)
    also[`our ${row.goal.row}`] = (await lanewise.op(ops.find(({ name }) => name === row.goal.row))).run;
  rows.push(await compareAll(row, "op", [row, data], also));
}
for (const row of int8Ops.map((row) => ({ section: "int8", ...row })).filter(asked))
  rows.push(await compareAll(row, "int8", [row, integers(row)]));
for (const row of MODELS.filter(asked)) rows.push(await compareAll(row, row.task, [job(row.batch)]));
if (asked(COLD)) rows.push(cold());
pytorch.unload();
for (const [reason, names] of failures) skipped.push(`${reason} (${names.length} rows: ${names.join("; ")})`);

const report = { ...machine(), by, versions, skipped, rows };
publish(`peers-${NODE}`, report, text(), options);
process.exit(); // some peers keep a process alive

function addTo(lists, key, value) {
  lists.set(key, [...(lists.get(key) ?? []), value]);
}

function tryTo(what) {
  try {
    return what();
  } catch (error) {
    console.error(`bench:peers: ${error.message}`);
    process.exit(1);
  }
}

/** The peers that this machine has, ready; it says aloud which it has not, and why. */
async function loaded() {
  const modules = await Promise.all(FILES.map((file) => import(file)));
  versions.torch = pytorch.version() ?? "not there";
  const all = [...modules.map((module, i) => ({ ...module, file: FILES[i] })), { ...pytorch, native: true }];
  const there = [];
  for (const peer of all) {
    try {
      if (peer.native && versions.torch === "not there")
        throw new Error("python3 cannot import torch; PYTHON names another interpreter");
      await peer.load(options);
      there.push(peer);
    } catch (error) {
      skipped.push(`${peer.name}: ${error.message}`);
    }
  }
  return there;
}

async function compareAll(row, task, given, also = {}) {
  const able = peers.map((peer) => ({ ...peer, prepare: peer[task] && (() => peer[task](...given)) }));
  const { rounds } = options;
  const result = await compare(row, able, { rounds, by, also });
  for (const [name, { failed }] of Object.entries(result.peers)) {
    if (failed) addTo(failures, `${name}: ${failed}`, row.name);
  }
  return result;
}

/** Each in a fresh process, in turns. */
function cold() {
  const processes = Math.max(3, Math.ceil(options.rounds / 2));
  const starting = [{ ...lanewise, file: OURS }, ...peers.filter(({ file, predict }) => file && predict)];
  const samples = starting.map(() => []);
  for (let run = 0; run <= processes; run++) {
    for (const [i, { file }] of starting.entries()) {
      const script = `import { job } from "./job.mjs";
        const given = job(1);
        const start = performance.now();
        const { load, predict } = await import("${file}");
        await load?.();
        const { read } = await predict(given);
        await read();
        console.log(performance.now() - start);
        process.exit();`;
      const cwd = new URL(".", import.meta.url);
      const ms = execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd, encoding: "utf8" });
      if (run > 0) samples[i].push(Number(ms)); // the first one reads the files from disk
    }
  }
  const times = samples.map(summary);
  const entries = starting.map(({ name }, i) => [name, { ...times[i], ratio: times[0][by] / times[i][by] }]);
  const [best] = entries.slice(1).sort(([, a], [, b]) => a[by] - b[by])[0];
  return { ...COLD, peers: Object.fromEntries(entries), best, verdicts: [] };
}

function text() {
  const others = peers.slice(1).map(({ name }) => name);
  const cells = rows.map(({ name, peers: entries, best, verdicts }) => {
    const ours = entries[lanewise.name];
    const differences = Object.values(entries).map((entry) => entry.difference ?? 0);
    return [
      name,
      digits(ours[by]),
      percent(ours.spread),
      ...others.map((other) => {
        const { [by]: ms, ratio } = entries[other] ?? {};
        return ms === undefined ? "-" : `${digits(ms)} (${over(ratio)})`;
      }),
      best ? over(entries[best].ratio) : "-",
      verdicts.map(goal).join("; "),
      Math.max(...differences).toExponential(0),
    ];
  });
  const hits = rows.flatMap(({ verdicts }) => verdicts).map(({ hit }) => hit);
  return [
    heading(report),
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", "),
    `ms, ${by === "min" ? "the fastest call" : "the median"}; in brackets our time over theirs; best: over the fastest in ` +
      "JavaScript; difference: the largest of any\npeer's result from ours, of the largest number in it",
    table(["one thread each", "lanewise", "spread", ...others, "best", "goals", "difference"], cells),
    `${hits.filter(Boolean).length} of ${hits.length} goals hit`,
    ...skipped.map((reason) => `SKIPPED ${reason}`),
  ].join("\n\n");
}

function goal({ against, limit, ratio, hit }) {
  return `${hit ? "hit" : "MISS"} ${over(ratio)} <= ${limit} of ${against}`;
}
