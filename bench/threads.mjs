// `npm run bench:threads`: what threads gain: models on one thread and on several, in alternation in one process. On a machine that has
// other work the fastest calls say more than the medians, and both say little.
//   --threads N  default 2     --only TEXT  rows whose name holds TEXT     --json  JSON instead of a table
//   --save  also writes results/threads-node<major>.json     --rounds N  default 20
import { build, conv2d, dense, input } from "lanewise";
import { images, noise } from "./cnn.mjs";
import { heading, machine, NODE, onRound, publish } from "./machine.mjs";
import { measure } from "./measure.mjs";
import { cnn } from "./model.mjs";
import { gptIteration, trainingStep } from "./models.mjs";
import { readOptions } from "./options.mjs";
import { digits, percent, table } from "./table.mjs";
import { wanted } from "./wanted.mjs";

const options = readOptions("bench:threads", 20, { threads: { type: "string", default: "2" } });
const threads = Number(options.threads);
if (!Number.isInteger(threads) || threads < 1) {
  console.error(`bench:threads: --threads takes a positive integer, not '${options.threads}' (known: --threads)`);
  process.exit(2);
}

const session = async (x, layer, batch, options) => {
  const model = await build(input(x), layer, options);
  const { inputs, run } = model.session(batch);
  inputs[0].set(noise(inputs[0].length));
  return [model, run];
};
const predict = async (batch, options) => {
  const model = await cnn(options);
  const x = images(batch);
  return [model, () => model.predict(x)];
};
const step = async (batch, options) => {
  const model = await cnn(options);
  return [model, await trainingStep(model, batch)];
};

const kinds = {
  "gemm 512": (options) => session([512], dense(512, { useBias: false }), 512, options),
  "conv 3x3, 28x28 128>128": (options) => session([28, 28, 128], conv2d(128, 3, { padding: "same" }), 1, options),
  "Keras CNN, predict batch 1": (options) => predict(1, options),
  "Keras CNN, predict batch 32": (options) => predict(32, options),
  "Keras CNN, training step batch 32": (options) => step(32, options),
  "Keras CNN, training step batch 128": (options) => step(128, options),
  "nanoGPT, one iteration": async (options) => {
    const run = await gptIteration(options);
    return [run.model, run];
  },
};

const accepts = wanted(options.only);
const names = Object.keys(kinds).filter((name) => accepts({ section: "threads", name }));
const tasks = [];
for (const name of names) {
  for (const count of [1, threads]) {
    const [model, run] = await kinds[name]({ threads: count });
    tasks.push({ name: `${name}, ${count}`, threads: model.threads, run });
  }
}
const times = await measure(tasks, { rounds: options.rounds, time: 100, onRound });
const rows = names.map((name, i) => {
  const [one, several] = [times[2 * i], times[2 * i + 1]];
  const gain = { gain: one.ms / several.ms, fastest: one.min / several.min };
  return {
    section: "threads",
    name,
    threads: tasks[2 * i + 1].threads,
    ms: several.ms,
    one: one.ms,
    ...gain,
    spread: several.spread,
  };
});

const report = { ...machine(), rows };
const cells = rows.map(({ name, threads, one, ms, spread, gain, fastest }) => [
  name,
  String(threads),
  digits(one),
  digits(ms),
  percent(spread),
  gain.toFixed(2),
  fastest.toFixed(2),
]);
const head = ["model", "threads", "ms on one", "ms", "spread", "gain", "gain of the fastest calls"];
publish(`threads-${NODE}`, report, [heading(report), table(head, cells)].join("\n"), options);
