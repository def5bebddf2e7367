// `npm run bench:tflite`: models in TensorFlow Lite's format at batch 1 in Lanewise, in LiteRT.js and in tfjs-tflite, one thread each, one
// run, in alternation; integers are compared first, exactly.
//   --folder PATH  with *.tflite, default ../shared/tflite/models    --only TEXT  files whose name holds TEXT
//   --by min  ratios of the fastest calls instead of the medians     --rounds N, --json, --save as for bench:peers
import { readdirSync, readFileSync } from "node:fs";
import { fromTflite } from "lanewise/tflite";
import { heading, machine, NODE, onRound, publish } from "./machine.mjs";
import { measure } from "./measure.mjs";
import { BY, readOptions } from "./options.mjs";
import { install } from "./peers/install.mjs";
import * as litert from "./peers/litert.mjs";
import * as tfjs from "./peers/tfjs-tflite.mjs";
import { digits, times as over, table } from "./table.mjs";

/** The largest ratios to LiteRT.js that are asked for, by a file's name. */
const GOALS = {
  resnet8_int8: 0.65,
  kws_int8: 0.75,
  ad01_int8: 0.9,
  person_detect_int8: 0.75,
  resnet8_float: 0.5,
  kws_float: 0.75,
  ad01_float: 0.9,
};
const ARRAYS = { float32: Float32Array, int8: Int8Array, uint8: Uint8Array, int16: Int16Array, int32: Int32Array };

const options = readOptions("bench:tflite", 20, {
  ...BY,
  folder: { type: "string", default: "../shared/tflite/models" },
});
const by = options.by === "min" ? "min" : "ms";
const versions = install();
const peers = [litert, tfjs];
for (const peer of peers) await peer.load();

const files = readdirSync(options.folder).filter((file) => file.endsWith(".tflite") && file.includes(options.only));
const rows = [];
const skipped = [];
for (const file of files) {
  const bytes = new Uint8Array(readFileSync(`${options.folder}/${file}`));
  const ours = await tryTo(file, "lanewise", () => lanewise(bytes));
  if (!ours) continue;
  const theirs = [];
  for (const peer of peers) {
    const made = await tryTo(file, peer.name, () => startAt(peer, bytes, ours));
    if (made) theirs.push(made);
  }
  if (theirs.length === 0) continue;
  const tasks = [{ name: "lanewise", ...ours }, ...theirs];
  const times = await measure(tasks, { rounds: options.rounds, onRound });
  const name = file.replace(".tflite", "");
  const others = Object.fromEntries(
    theirs.map((peer, i) => [peer.name, { ms: times[i + 1][by], ratio: times[0][by] / times[i + 1][by] }]),
  );
  rows.push({ name, ms: times[0][by], peers: others, goal: GOALS[name] });
  for (const { end } of theirs) end();
}

/** A peer on a file, after it gave our numbers. */
async function startAt(peer, bytes, { feeds, read }) {
  const model = await withBatches(peer, bytes, feeds);
  const [a, b] = [read(), await model.read()];
  const far = a.findIndex((v, i) => !(Math.abs(v - b[i]) <= (a instanceof Float32Array ? 0.02 : 0)));
  if (far >= 0) throw new Error(`element ${far} is ${b[far]}, ours ${a[far]}`);
  return { ...model, name: peer.name };
}

async function lanewise(bytes) {
  const model = await fromTflite(bytes);
  const session = model.session();
  if (model.inputs.some(({ batched }) => batched === false))
    throw new Error("a shape is an input: LiteRT.js returns nothing");
  const feeds = model.inputs.map(({ shape, dtype }) => ({ data: feed(shape, dtype), shape: [1, ...shape] }));
  feeds.forEach(({ data }, i) => {
    session.inputs[i].set(data);
  });
  const read = () => {
    session.run();
    return session.outputs[0].slice();
  };
  return { feeds, run: () => session.run(), read };
}

/** A peer on a file: as it is, or with a batch of one. */
async function withBatches(peer, bytes, feeds) {
  const model = await peer.start(bytes, feeds);
  try {
    await model.read();
    return model;
  } catch {
    return peer.start(withBatchOfOne(bytes), feeds);
  }
}

/** The file with open batches (-1 in the signatures of shapes) as 1: LiteRT.js takes no other way to say that. */
function withBatchOfOne(bytes) {
  const words = new Int32Array(bytes.slice().buffer, 0, bytes.length >> 2);
  for (let i = 0; i + 5 < words.length; i++) {
    const rest = words.subarray(i + 2, i + 1 + words[i]);
    const shape = words[i] >= 2 && words[i] <= 4 && words[i + 1] === -1 && rest.every((d) => d > 0 && d < 65536);
    if (shape) words[i + 1] = 1;
  }
  return new Uint8Array(words.buffer);
}

/** Numbers over the range of a dtype. */
function feed(shape, dtype) {
  const size = shape.reduce((n, d) => n * d, 1);
  const one = (i) => ((i * 37) % 251) - (dtype === "uint8" ? 0 : 125);
  return ARRAYS[dtype].from({ length: size }, (_, i) => (dtype === "float32" ? one(i) / 125 : one(i)));
}

/** What `make` gives; where it fails the report says so. */
async function tryTo(file, name, make) {
  try {
    return await make();
  } catch (error) {
    skipped.push(`${file} at ${name}: ${String(error.message ?? error).split("\n")[0]}`);
  }
}

const cells = ({ ms, ratio } = {}) => [digits(ms && ms * 1000), ratio ? over(ratio) : ""];
const lines = rows.map(({ name, ms, peers: others, goal }) => [
  name,
  digits(ms * 1000),
  ...peers.flatMap((peer) => cells(others[peer.name])),
  goal === undefined ? "" : `${goal.toFixed(2)}${others[litert.name]?.ratio <= goal ? "" : " MISSED"}`,
]);
const report = { ...machine(), by, versions, skipped, rows };
const head = ["model", "us", ...peers.flatMap(({ name }) => [`${name} us`, "ratio"]), "goal"];
const text = [heading(report), table(head, lines), ...skipped.map((line) => `skipped ${line}`)].join("\n");
publish(`tflite-${NODE}`, report, text, options);
process.exit();
