// @ts-check
// `npm run example:motions`: what somebody is doing, from ten seconds of a wrist's acceleration and rotation. Small enough to train where the
// data are made: forty recordings, half a second. What it trains on is in samples.mjs.

import {
  bidirectional,
  build,
  dense,
  dropout,
  gaussianNoise,
  globalMaxPooling1d,
  input,
  lstm,
  sequential,
} from "lanewise";
import { adam, cosineDecay, evaluate, fit, progressBar } from "lanewise/train";
import { example, lines, parameters } from "../common/example.mjs";
import { CHANNELS, classes, drawn, STEPS, standardized, stored } from "./samples.mjs";

const batchSize = 8;

await example(
  {
    name: "motions",
    does: "Trains a bidirectional LSTM to tell standing, running, walking and badminton apart by a motion sensor.",
    data: "a folder with basic_motions_{train,test}_{x.f32le,y.u8}, gzipped or not (UEA's BasicMotions); default: drawn",
  },
  async ({ data, quick, seed }) => {
    const given = data === undefined ? drawn(seed, quick ? 24 : 40) : await stored(data);
    const { train, test } = standardized(given);

    // Noise and dropout, as forty recordings are soon learnt by heart; of all steps the one that says most about a feature counts.
    const network = sequential(
      gaussianNoise(0.2),
      bidirectional(lstm(16, { returnSequences: true })),
      globalMaxPooling1d(),
      dropout(0.5),
      dense(classes.length, { activation: "softmax" }),
    );
    const model = await build(input([STEPS, CHANNELS]), network, { seed, name: "motions" });

    const epochs = quick ? 25 : 60;
    const [count] = train.y.shape;
    const start = performance.now();
    await fit(model, train, {
      optimizer: adam({ learningRate: cosineDecay(0.01, epochs * Math.ceil(count / batchSize)) }),
      loss: "sparseCategoricalCrossentropy",
      metrics: ["accuracy"],
      clipNorm: 1,
      batchSize,
      epochs,
      seed,
      callbacks: [process.stderr.isTTY ? progressBar() : lines],
    });
    const trained = performance.now();
    const { accuracy, loss } = await evaluate(model, test, {
      loss: "sparseCategoricalCrossentropy",
      metrics: ["accuracy"],
    });

    const probabilities = /** @type {import("lanewise").Tensor} */ (model.predict(test.x)).data;
    const found = Array.from(test.y.data, (_, i) =>
      best(probabilities.subarray(i * classes.length, (i + 1) * classes.length)),
    );
    return {
      testAccuracy: accuracy,
      testLoss: loss,
      recall: Object.fromEntries(classes.map((name, label) => [name, share(test.y.data, found, label)])),
      recordings: { train: count, test: test.y.shape[0] },
      parameters: parameters(model),
      times: { training: (trained - start) / 1000 },
    };
  },
);

/** Where the largest number is. @param {ArrayLike<number>} numbers */
function best(numbers) {
  const list = Array.from(numbers);
  return list.indexOf(Math.max(...list));
}

/** The share of recordings of a class that are found to be of it. @param {ArrayLike<number>} labels @param {number[]} found @param {number} label */
function share(labels, found, label) {
  const own = found.filter((_, i) => labels[i] === label);
  return own.filter((each) => each === label).length / own.length;
}
