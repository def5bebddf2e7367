// `npm run bench:tflite`: models in TensorFlow Lite's format at batch 1 in Lanewise and in LiteRT.js, one thread each, one run, in
// alternation; integers are compared first, exactly.
//   --folder PATH  with *.tflite, default ../shared/tflite/models    --only TEXT  files whose name holds TEXT
//   --by min  ratios of the fastest calls instead of the medians     --rounds N, --json, --save as for bench:peers
import { readdirSync, readFileSync } from "node:fs";
import { fromTflite } from "lanewise/tflite";
import { heading, machine, NODE, onRound, publish } from "./machine.mjs";
import { measure } from "./measure.mjs";
import { BY, readOptions } from "./options.mjs";
import { install } from "./peers/install.mjs";
import * as litert from "./peers/litert.mjs";
import { digits, table } from "./table.mjs";

/** The largest ratios that are asked for, by the start of a file's name. */
const GOALS = {
  resnet8_int8: 0.65,
  kws_int8: 0.75,
  ad01_int8: 0.9,
  person_detect_int8: 0.75,
  resnet8_float: 0.5,
  kws_float: 0.75,
  ad01_float: 0.9,
};
const ARRAYS = { float32: Float32Array, int8: Int8Array, uint8: Uint8Array };

const options = readOptions("bench:tflite", 20, {
  ...BY,
  folder: { type: "string", default: "../shared/tflite/models" },
});
const by = options.by === "min" ? "min" : "ms";
const versions = install();
await litert.load();

const files = readdirSync(options.folder).filter((file) => file.endsWith(".tflite") && file.includes(options.only));
const rows = [];
const skipped = [];
for (const file of files) {
  const bytes = new Uint8Array(readFileSync(`${options.folder}/${file}`));
  const [ours, theirs] = [await tryTo(() => lanewise(bytes)), await tryTo((feeds) => litertOf(bytes, feeds), bytes)];
  const reason = ours.reason ?? theirs.reason;
  if (reason) {
    skipped.push(`${file}: ${reason}`);
    continue;
  }
  const [a, b] = [ours.read(), await theirs.read()];
  const far = a.findIndex((v, i) => !(Math.abs(v - b[i]) <= (a instanceof Float32Array ? 0.02 : 0)));
  if (far >= 0) throw new Error(`${file}: element ${far} is ${a[far]}, ${b[far]} in LiteRT.js`);
  const [mine, other] = await measure(
    [
      { name: "ours", run: ours.run },
      { name: "theirs", run: theirs.run },
    ],
    { rounds: options.rounds, onRound },
  );
  const name = file.replace(".tflite", "");
  rows.push({ name, ms: mine[by], peer: other[by], ratio: mine[by] / other[by], goal: GOALS[name] });
  theirs.end();
}

async function lanewise(bytes) {
  const model = await fromTflite(bytes);
  const session = model.session();
  model.inputs.forEach(({ shape, dtype }, i) => {
    session.inputs[i].set(feed(shape, dtype));
  });
  const read = () => {
    session.run();
    return session.outputs[0].slice();
  };
  return { run: () => session.run(), read };
}

/** LiteRT.js on a file: as it is, or with a batch of one. */
async function litertOf(bytes, feeds) {
  const model = await litert.start(bytes, feeds);
  try {
    await model.read();
    return model;
  } catch {
    return litert.start(withBatchOfOne(bytes), feeds);
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

async function tryTo(make, bytes) {
  try {
    if (!bytes) return await make();
    const { inputs } = await fromTflite(bytes);
    return await make(inputs.map(({ shape, dtype }) => ({ data: feed(shape, dtype), shape: [1, ...shape] })));
  } catch (error) {
    return { reason: String(error.message ?? error) };
  }
}

const lines = rows.map(({ name, ms, peer, ratio, goal }) => [
  name,
  digits(ms * 1000),
  digits(peer * 1000),
  ratio.toFixed(2),
  goal === undefined ? "" : `${goal.toFixed(2)}${ratio <= goal ? "" : " MISSED"}`,
]);
const report = { ...machine(), by, versions, skipped, rows };
const text = () =>
  [
    heading(report),
    table(["model", "us", "LiteRT.js us", "ratio", "goal"], lines),
    ...skipped.map((line) => `skipped ${line}`),
  ].join("\n");
publish(`tflite-${NODE}`, report, text(), options);
process.exit();
