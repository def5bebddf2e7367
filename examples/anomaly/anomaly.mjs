// @ts-check
// `npm run example:anomaly`: finds abnormal heartbeats without ever having seen one. An autoencoder learns to pass normal beats through eight
// numbers; what it cannot restore is none. Two measures that learn nothing stand beside it. The beats are in beats.mjs.

import { build, dense, gaussianNoise, input, normalization, sequential, tensor } from "lanewise";
import { adam, cosineDecay, fit, progressBar } from "lanewise/train";
import { example, lines, parameters } from "../common/example.mjs";
import { randomFrom, shuffled } from "../common/random.mjs";
import { drawn, STEPS, stored } from "./beats.mjs";

const batchSize = 16;

await example(
  {
    name: "anomaly",
    does: "Trains an autoencoder on normal heartbeats, and tells abnormal ones by what it cannot restore.",
    data: "a folder with ecg5000_train_x.f32le and ecg5000_train_y.u8, gzipped or not; default: drawn beats",
  },
  async ({ data, quick, seed }) => {
    const { beats, abnormal } = data === undefined ? drawn(seed, quick ? 200 : 500) : await stored(data);

    // Four normal beats in five to train on; the others, and every abnormal one, to test.
    const order = shuffled(beats.length, randomFrom(seed));
    const normal = order.filter((i) => !abnormal[i]);
    const train = normal.slice(0, Math.ceil(normal.length * 0.8));
    const test = [...normal.slice(train.length), ...order.filter((i) => abnormal[i])];
    const truth = test.map((i) => abnormal[i]);
    const x = rows(beats, train);

    const scale = normalization();
    scale.adapt(x);
    const standard = await build(input([STEPS]), scale);
    const scaled = /** @type {import("lanewise").Tensor} */ (standard.predict(x));
    const tested = /** @type {import("lanewise").Tensor} */ (standard.predict(rows(beats, test)));

    const network = sequential(
      gaussianNoise(0.2),
      dense(32, { activation: "relu" }),
      dense(8, { activation: "relu" }),
      dense(32, { activation: "relu" }),
      dense(STEPS),
    );
    const model = await build(input([STEPS]), network, { seed, name: "autoencoder" });
    const epochs = quick ? 20 : 100;
    const start = performance.now();
    const { history } = await fit(
      model,
      { x: scaled, y: scaled },
      {
        optimizer: adam({ learningRate: cosineDecay(0.005, epochs * Math.ceil(train.length / batchSize)) }),
        loss: "meanSquaredError",
        batchSize,
        epochs,
        seed,
        callbacks: [process.stderr.isTTY ? progressBar() : lines],
      },
    );
    const trained = performance.now();

    const restored = /** @type {import("lanewise").Tensor} */ (model.predict(tested));
    const [given, back, known] = [tested, restored, scaled].map(beatsOf);
    const zero = new Float32Array(STEPS); // the mean of what is standardised
    return {
      auc: auc(given.map((beat, i) => distance(beat, back[i])), truth), // biome-ignore format: one expression
      baselines: {
        /** How far a beat is from the mean of the normal ones, each step in its standard deviations. */
        meanBeatAuc: auc(given.map((beat) => distance(beat, zero)), truth), // biome-ignore format: one expression
        /** How far it is from the nearest of them: all are kept, and all are looked at. */
        nearestBeatAuc: auc(given.map((beat) => Math.min(...known.map((each) => distance(beat, each)))), truth), // biome-ignore format: one expression
      },
      trainLoss: history.loss[epochs - 1],
      beats: {
        train: train.length,
        testNormal: normal.length - train.length,
        testAbnormal: beats.length - normal.length,
      },
      parameters: parameters(model),
      times: { training: (trained - start) / 1000 },
    };
  },
);

/** @param {Float32Array[]} beats @param {number[]} which */
function rows(beats, which) {
  return tensor(Float32Array.from(which.flatMap((i) => [...beats[i]])), [which.length, STEPS]);
}

/** @param {import("lanewise").Tensor} x */
function beatsOf({ data, shape }) {
  return Array.from({ length: shape[0] }, (_, i) => data.subarray(i * STEPS, (i + 1) * STEPS));
}

/** Mean of squared differences. @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
function distance(a, b) {
  return Array.from(a, (v, i) => (v - b[i]) * (v - b[i])).reduce((sum, v) => sum + v, 0) / a.length;
}

/** How often an abnormal beat has the higher score of a pair, a tie counted half. @param {number[]} scores @param {boolean[]} truth */
function auc(scores, truth) {
  const high = scores.filter((_, i) => truth[i]);
  const low = scores.filter((_, i) => !truth[i]);
  const won = high.map((a) => low.reduce((sum, b) => sum + (a > b ? 1 : a === b ? 0.5 : 0), 0));
  return won.reduce((sum, v) => sum + v, 0) / (high.length * low.length);
}
