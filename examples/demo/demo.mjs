// @ts-check
// `npm run demo`: from data to a model that is trained, tested, saved, loaded again and described in a report. Read main() first:
// it is how Lanewise is used. What it trains on is in samples.mjs, the report in report.mjs.

import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build, conv2d, dense, flatten, input, load, maxPooling2d, save, sequential } from "lanewise";
import { adam, evaluate, fit, polynomialDecay, progressBar } from "lanewise/train";
import { lines } from "../common/example.mjs";
import { parseOptions, UsageError, usage } from "./options.mjs";
import { present } from "./present.mjs";
import { drawn, part, stored } from "./samples.mjs";

/** @typedef {import("lanewise").Model} Model @typedef {import("lanewise").Tensor} Tensor @typedef {import("./samples.mjs").Samples} Samples */

const batchSize = 32;

async function main() {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) return console.log(usage);
  const { seed, epochs } = options;

  const {
    train: all,
    test,
    classes,
    kind,
  } = options.data === undefined ? drawn(seed, options.quick) : await stored(options.data);
  const held = Math.ceil(count(all) / 20);
  const train = part(all, 0, count(all) - held);
  const validation = part(all, count(all) - held, count(all));
  console.error(`${count(train)} ${kind} to train on, ${held} to validate, ${count(test)} to test`);

  // The convolutional network of Keras' MNIST example.
  const network = sequential(
    conv2d(32, 3, { activation: "relu" }),
    maxPooling2d(2),
    conv2d(64, 3, { activation: "relu" }),
    maxPooling2d(2),
    flatten(),
    dense(64, { activation: "relu" }),
    dense(classes, { activation: "softmax" }),
  );
  const model = await build(input(train.x.shape.slice(1)), network, { seed, name: "digits" });

  const record = recorder(count(train));
  const progress = process.stderr.isTTY ? progressBar() : lines;
  /** @type {import("lanewise/train").EvaluateOptions} */
  const judged = { loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"], batchSize };
  // The learning rate falls in a straight line to a twentieth: the last steps settle instead of wandering.
  const steps = epochs * Math.ceil(count(train) / batchSize);
  const learningRate = polynomialDecay(0.001, Math.max(1, steps), { endLearningRate: 0.00005 });
  const { history } = await fit(model, train, {
    ...judged,
    optimizer: adam({ learningRate }),
    epochs,
    seed,
    validation,
    callbacks: [record, progress],
  });
  const tested = await evaluate(model, test, judged);
  const probabilities = predict(model, test.x);

  // What is saved is all there is: the loaded model is the same to the last bit.
  const file = save(model);
  const loaded = await load(file);
  const identical = same(save(loaded), file) && same(bytesOf(predict(loaded, test.x)), bytesOf(probabilities));

  const memory = model.plan(1).bytes;
  const weights = Object.values(model.weights());
  const results = {
    testAccuracy: tested.accuracy,
    testLoss: tested.loss,
    epochs,
    seed,
    batchSize,
    data: options.data ?? null,
    trainSamples: count(train),
    validationSamples: held,
    testSamples: count(test),
    classes,
    parameters: weights.reduce((sum, { data }) => sum + data.length, 0),
    fileBytes: file.length,
    fileSha256: createHash("sha256").update(file).digest("hex"),
    plannedBytes: memory.weights + memory.kept + memory.workspace,
    identicalAfterReload: identical,
    history,
    /** All that differs from run to run. */
    times: {
      trainSeconds: record.seconds.reduce((a, b) => a + b, 0),
      stepsPerSecond: record.stepsPerSecond(),
      predictMilliseconds: latency(model, test.x),
    },
  };
  const { page, table } = present({ results, record, probabilities, test, kind });

  await mkdir(options.out, { recursive: true });
  const paths = { model: join(options.out, "model.safetensors"), report: join(options.out, "report.html") };
  await writeFile(paths.model, file);
  await writeFile(paths.report, page);
  console.log(options.json ? JSON.stringify({ ...results, files: paths }) : table);
  console.error(`wrote ${paths.model} and ${paths.report}`);
  if (!identical) throw new Error("the loaded model differs from the saved one");
}

/**
 * A callback for `fit` that keeps what the report draws: loss and accuracy of every step, and how long it all took.
 * @param {number} samples in an epoch
 */
function recorder(samples) {
  const loss = /** @type {{ x: number, y: number }[]} */ ([]);
  const accuracy = /** @type {{ x: number, y: number }[]} */ ([]);
  const seconds = /** @type {number[]} */ ([]);
  let [timed, time, last, right] = [0, 0, 0, 0];
  return {
    train: { loss, accuracy },
    seconds,
    stepsPerSecond: () => (1000 * timed) / time,
    /** @param {import("lanewise/train").FitStep} at */
    onTrainBatchEnd({ epoch, step, steps = step, loss: lossNow, logs }) {
      const now = performance.now();
      if (step > 1) {
        timed++;
        time += now - last;
      }
      last = now;
      const x = epoch - 1 + step / steps;
      loss.push({ x, y: lossNow });
      // logs hold the average of the epoch so far: what this step added to it is its own.
      const seen = Math.min(step * batchSize, samples);
      const before = step === 1 ? 0 : right;
      right = Math.round(logs.accuracy * seen);
      accuracy.push({ x, y: (right - before) / (seen - (step - 1) * batchSize) });
    },
    /** @param {import("lanewise/train").FitEpoch} at */
    onEpochEnd: (at) => void seconds.push(at.seconds),
  };
}

/**
 * Class probabilities [n, classes], a hundred images at a time: memory grows with the batch.
 * @param {Model} model @param {Tensor} x @returns {Float32Array}
 */
function predict(model, x) {
  const [n] = x.shape;
  const size = x.data.length / n;
  const classes = model.outputs[0].shape[0];
  const all = new Float32Array(n * classes);
  for (let i = 0; i < n; i += 100) {
    const batch = x.data.subarray(i * size, Math.min(n, i + 100) * size);
    all.set(/** @type {Tensor} */ (model.predict(batch)).data, i * classes);
  }
  return all;
}

/** Milliseconds for one image, input to output: the median of 300 after 50 to warm up. @param {Model} model @param {Tensor} x */
function latency(model, x) {
  const size = x.data.length / x.shape[0];
  const times = Array.from({ length: 350 }, (_, i) => {
    const at = (i % x.shape[0]) * size;
    const image = x.data.subarray(at, at + size);
    const start = performance.now();
    model.predict(image);
    return performance.now() - start;
  });
  return times.slice(50).sort((a, b) => a - b)[150];
}

/** @param {Samples} samples */
const count = (samples) => samples.y.data.length;

/** @param {Float32Array} values */
const bytesOf = (values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** @param {Uint8Array} a @param {Uint8Array} b */
const same = (a, b) => Buffer.compare(a, b) === 0;

await main().catch((error) => {
  if (!(error instanceof UsageError)) throw error;
  console.error(`demo: ${error.message}`);
  process.exitCode = 2;
});
