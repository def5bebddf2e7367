// @ts-check
// `npm run demo`: from data to a model that is trained, made small in several ways, compared, saved, loaded again and described in a
// report. Read main() first: it is how Lanewise is used. What it trains on is in samples.mjs, the report in report.mjs.

import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build, conv2d, dense, flatten, input, load, maxPooling2d, save, sequential } from "lanewise";
import { distill, prune, quantize, report } from "lanewise/compress";
import { int8Ops } from "lanewise/int8";
import { adam, evaluate, fit, polynomialDecay, progressBar } from "lanewise/train";
import { lines } from "../common/example.mjs";
import { parseOptions, UsageError, usage } from "./options.mjs";
import { present } from "./present.mjs";
import { recorder } from "./recorder.mjs";
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
  const shape = train.x.shape.slice(1);

  /** @type {import("lanewise/train").EvaluateOptions} */
  const judged = { loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"], batchSize };
  const progress = process.stderr.isTTY ? progressBar() : lines;
  // The learning rate falls in a straight line to a twentieth: the last steps settle instead of wandering.
  const settling = (/** @type {number} */ rate, /** @type {number} */ rounds) => {
    const steps = Math.max(1, rounds * Math.ceil(count(train) / batchSize));
    return adam({ learningRate: polynomialDecay(rate, steps, { endLearningRate: rate / 20 }) });
  };

  // Train: the convolutional network of Keras' MNIST example.
  const network = sequential(
    conv2d(32, 3, { activation: "relu" }),
    maxPooling2d(2),
    conv2d(64, 3, { activation: "relu" }),
    maxPooling2d(2),
    flatten(),
    dense(64, { activation: "relu" }),
    dense(classes, { activation: "softmax" }),
  );
  const model = await build(input(shape), network, { seed, name: "digits" });
  const record = recorder(count(train), batchSize);
  const { history } = await fit(model, train, {
    ...judged,
    optimizer: settling(0.001, epochs),
    epochs,
    seed,
    validation,
    callbacks: [record, progress],
  });

  // Prune: four of five weights are left out, little by little, while the others are trained on.
  console.error("prune: 80 % of the weights, while training on");
  const rounds = Math.ceil(epochs / 2);
  const pruned = await prune(model, {
    sparsity: 0.8,
    finetune: {
      data: train,
      ...judged,
      optimizer: settling(0.0005, rounds),
      epochs: rounds,
      seed,
      callbacks: [progress],
    },
  });

  // Distil: a network of a twentieth of the size learns from the large one.
  const little = sequential(
    conv2d(8, 3, { strides: 2, activation: "relu" }),
    conv2d(16, 3, { strides: 2, activation: "relu" }),
    flatten(),
    dense(classes, { activation: "softmax" }),
  );
  const small = await build(input(shape), little, { seed, name: "small" });
  console.error("distil: a small network learns from the large one");
  await distill(model, small, train, {
    ...judged,
    temperature: 4,
    alpha: 0.9,
    optimizer: settling(0.004, 2 * epochs),
    epochs: 2 * epochs,
    seed,
    callbacks: [progress],
  });

  // Quantize: in int8, by what some hundred images make of their insides.
  const calibration = part(train, 0, Math.min(count(train), 256)).x;
  const method = "movingAverage";
  /** @type {Record<string, Model>} */
  const models = {
    trained: model,
    pruned,
    int8: await quantize(model, { calibration, method }),
    "pruned int8": await quantize(pruned, { calibration, method }),
    small,
    "small int8": await quantize(small, { calibration, method }),
  };

  // Compare.
  console.error(`compare: ${Object.keys(models).join(", ")}`);
  const tested = await evaluate(model, test, judged);
  const probabilities = predict(model, test.x);
  const compared = await report(models, test);

  // What is saved is all there is: the loaded models are the same to the last bit.
  const files = Object.fromEntries(Object.entries(models).map(([name, each]) => [name, save(each)]));
  const loaded = await Promise.all(Object.values(files).map((file) => load(file, { layers: int8Ops })));
  const identical = Object.values(models).map(
    (each, i) =>
      same(save(loaded[i]), Object.values(files)[i]) &&
      same(bytesOf(predict(loaded[i], test.x)), bytesOf(predict(each, test.x))),
  );

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
    history,
    /** One for each model, the trained one first. */
    models: compared.rows.map(({ milliseconds, gzipBytes, metrics, ...row }, i) => ({
      ...row,
      fileSha256: createHash("sha256").update(files[row.name]).digest("hex"),
      identicalAfterReload: identical[i],
    })),
    /** All that differs from run to run, or with the runtime's gzip. */
    times: {
      trainSeconds: record.seconds.reduce((a, b) => a + b, 0),
      stepsPerSecond: record.stepsPerSecond(),
      predictMilliseconds: Object.fromEntries(compared.rows.map(({ name, milliseconds }) => [name, milliseconds])),
      gzipBytes: Object.fromEntries(compared.rows.map(({ name, gzipBytes }) => [name, gzipBytes])),
    },
  };
  const { page, table } = present({ results, compared: compared.rows, record, probabilities, test, kind });

  await mkdir(options.out, { recursive: true });
  const out = (/** @type {string} */ name) => join(options.out, name.replace(" ", "-"));
  const paths = Object.fromEntries(Object.keys(models).map((name) => [name, out(`${name}.safetensors`)]));
  for (const [name, path] of Object.entries(paths)) await writeFile(path, files[name]);
  await writeFile(out("report.html"), page);
  const written = { ...paths, report: out("report.html") };
  console.log(options.json ? JSON.stringify({ ...results, files: written }) : `${table}\n\n${compared}`);
  console.error(`wrote ${Object.values(written).join(", ")}`);
  if (identical.includes(false)) throw new Error("a loaded model differs from the saved one");
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
