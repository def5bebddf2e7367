// @ts-check
// `npm run example:tabular`: numbers and categories in one model, which takes them as they stand in the table. Every row is predicted by a
// model that has not seen it (five folds), by a network and, to compare, by a linear model. The tables are in tables.mjs.

import {
  build,
  categoryEncoding,
  concatenate,
  dense,
  dropout,
  input,
  normalization,
  sequential,
  tensor,
} from "lanewise";
import { normalizer } from "lanewise/data";
import { adamW, cosineDecay, fit } from "lanewise/train";
import { example } from "../common/example.mjs";
import { randomFrom, shuffled } from "../common/random.mjs";
import { abalone, drawnClasses, drawnNumbers, twoClasses } from "./tables.mjs";

/** @typedef {import("lanewise").Tensor} Tensor @typedef {import("./tables.mjs").Table} Table */

const FOLDS = 5;

/**
 * @typedef {object} Way how rows are predicted
 * @property {"number" | "class"} of
 * @property {readonly number[]} units of the hidden layers; none make the linear model
 * @property {number} epochs
 * @property {number} learningRate
 * @property {number} batchSize
 */
/** @type {Record<string, Way>} */
const ways = {
  number: { of: "number", units: [64, 64], epochs: 40, learningRate: 0.005, batchSize: 64 },
  linearNumber: { of: "number", units: [], epochs: 40, learningRate: 0.05, batchSize: 64 },
  class: { of: "class", units: [64, 32], epochs: 60, learningRate: 0.005, batchSize: 16 },
  linearClass: { of: "class", units: [], epochs: 60, learningRate: 0.02, batchSize: 16 },
};

await example(
  {
    name: "tabular",
    does: "Predicts a number (the age of abalones) and two classes (radar, sonar) from tables, each row by a model that has not seen it.",
    data: "a folder with abalone.csv, ionosphere.csv and sonar.csv, gzipped or not; default: drawn tables",
  },
  async ({ data, quick, seed }) => {
    const tables =
      data === undefined
        ? {
            regression: drawnNumbers(seed, 1500),
            classification: drawnClasses(seed, 600),
            second: drawnClasses(seed + 2, 200),
          }
        : {
            regression: await abalone(data),
            classification: await twoClasses(data, "ionosphere.csv", 34),
            second: await twoClasses(data, "sonar.csv", 60),
          };
    /** @param {Table} table @param {Way} way */
    const predicted = (table, way) => crossValidated(table, quick ? { ...way, epochs: 8 } : way, seed);

    const { regression, classification, second } = tables;
    const numbers = errors(await predicted(regression, ways.number), regression.y);
    const linear = errors(await predicted(regression, ways.linearNumber), regression.y);
    console.error(`regression: RMSE ${numbers.rmse.toFixed(3)}, linear ${linear.rmse.toFixed(3)}`);
    const names = data === undefined ? ["ball", "smallBall"] : ["ionosphere", "sonar"];
    const accuracies = [];
    for (const [i, each] of [classification, second].entries()) {
      const accuracy = share(await predicted(each, ways.class), each.y);
      const linearAccuracy = share(await predicted(each, ways.linearClass), each.y);
      console.error(`${names[i]}: accuracy ${accuracy.toFixed(3)}, linear ${linearAccuracy.toFixed(3)}`);
      accuracies.push({ table: names[i], rows: each.rows, accuracy, linearAccuracy });
    }
    return {
      rmse: numbers.rmse,
      r2: numbers.r2,
      mae: numbers.mae,
      accuracy: accuracies[0].accuracy,
      regression: { table: data === undefined ? "rules" : "abalone", rows: regression.rows, ...numbers, linear },
      classification: accuracies,
      folds: FOLDS,
    };
  },
);

/**
 * What models predict for rows that were not among those they were trained on.
 * @param {Table} table @param {Way} way @param {number} seed
 */
async function crossValidated(table, way, seed) {
  const order = shuffled(table.rows, randomFrom(seed));
  const found = new Float32Array(table.rows);
  for (let fold = 0; fold < FOLDS; fold++) {
    const held = order.filter((_, i) => i % FOLDS === fold);
    const train = pick(table, order.filter((_, i) => i % FOLDS !== fold)); // biome-ignore format: one expression
    const model = await build(...network(table, train, way), { seed: seed + fold });
    const steps = way.epochs * Math.ceil(train.y.shape[0] / way.batchSize);
    await fit(model, train, {
      optimizer: adamW({ learningRate: cosineDecay(way.learningRate, steps), weightDecay: 0.01 }),
      loss: way.of === "number" ? "meanSquaredError" : "binaryCrossentropy",
      epochs: way.epochs,
      batchSize: way.batchSize,
      seed: seed + fold,
    });
    const y = /** @type {Tensor} */ (model.predict([...pick(table, held).x]));
    held.forEach((row, i) => {
      found[row] = y.data[i];
    });
  }
  return found;
}

/**
 * Numbers as they are and categories side by side, hidden layers, and out come numbers as they are, or a probability.
 * @param {Table} table @param {{ x: Tensor[], y: Tensor }} train @param {Way} way
 * @returns {[import("lanewise").Value[], import("lanewise").Value]}
 */
function network({ width, kinds }, train, { of, units }) {
  const scale = normalization();
  scale.adapt(train.x[0]);
  const numbers = input([width], { name: "numbers" });
  const category = input([1], { dtype: "int32", name: "category" });
  const inputs = kinds === 0 ? [numbers] : [numbers, category];
  const features = kinds === 0 ? scale(numbers) : concatenate([scale(numbers), categoryEncoding(kinds)(category)]);
  const hidden = units.flatMap((each) => [dense(each, { activation: "relu" }), dropout(0.1)]);
  const last =
    of === "class"
      ? [dense(1, { activation: "sigmoid" })]
      : [dense(1), normalization({ ...normalizer(train.y), invert: true })];
  return [inputs, sequential(...hidden, ...last)(features)];
}

/** @param {Table} table @param {number[]} rows */
function pick({ numbers, categories, kinds, width, y }, rows) {
  const part = tensor(Float32Array.from(rows.flatMap((i) => [...numbers.subarray(i * width, (i + 1) * width)])), [
    rows.length,
    width,
  ]);
  const category = tensor(
    Int32Array.from(rows, (i) => categories[i]),
    [rows.length, 1],
  );
  return {
    x: kinds === 0 ? [part] : [part, category],
    y: tensor(
      Float32Array.from(rows, (i) => y[i]),
      [rows.length, 1],
    ),
  };
}

/** @param {ArrayLike<number>} found @param {ArrayLike<number>} y */
function errors(found, y) {
  const n = y.length;
  const differences = Array.from(y, (v, i) => found[i] - v);
  const mean = Array.from(y).reduce((sum, v) => sum + v, 0) / n;
  const squares = differences.reduce((sum, d) => sum + d * d, 0);
  const all = Array.from(y).reduce((sum, v) => sum + (v - mean) * (v - mean), 0);
  const mae = differences.reduce((sum, d) => sum + Math.abs(d), 0) / n;
  return { rmse: Math.sqrt(squares / n), r2: 1 - squares / all, mae };
}

/** The share of rows whose class is found. @param {ArrayLike<number>} found probabilities @param {ArrayLike<number>} y */
function share(found, y) {
  return Array.from(y).filter((v, i) => found[i] >= 0.5 === (v === 1)).length / y.length;
}
