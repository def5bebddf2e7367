// @ts-check
// The demo's results in words and figures: a table for the terminal and the findings that the report shows.

import { cpus } from "node:os";
import { fileSize, percent } from "./charts.mjs";
import { report } from "./report.mjs";

/**
 * @typedef {object} Results
 * @property {number} testAccuracy
 * @property {number} testLoss
 * @property {number} epochs
 * @property {number} seed
 * @property {number} batchSize
 * @property {number} trainSamples
 * @property {number} testSamples
 * @property {number} classes
 * @property {Record<string, number[]>} history
 * @property {{ identicalAfterReload: boolean }[]} models
 * @property {{ trainSeconds: number, stepsPerSecond: number }} times
 */

/** What was done to get each model. @type {Record<string, string>} */
const how = {
  trained: "Keras' digits network, in float32",
  pruned: "the trained one, four of five weights left out",
  int8: "the trained one, quantized",
  "pruned int8": "the pruned one, quantized",
  small: "another network, taught by the trained one",
  "small int8": "the small one, quantized",
};

/**
 * @param {object} run
 * @param {Results} run.results
 * @param {readonly import("lanewise/compress").ReportRow[]} run.compared all models, the trained one first
 * @param {{ train: import("./report.mjs").History["train"], seconds: number[] }} run.record
 * @param {Float32Array} run.probabilities [n, classes] of the trained one on the test set
 * @param {import("./samples.mjs").Samples} run.test
 * @param {string} run.kind what the samples are, in the plural
 * @returns {{ page: string, table: string }}
 */
export function present({ results, compared, record, probabilities, test, kind }) {
  const { classes, times, history } = results;
  const { confusion, misread } = compare(probabilities, test, classes);
  const models = compared.map(({ accuracy = 0, agreement = 0, ...row }) => ({
    ...row,
    accuracy,
    agreement,
    how: how[row.name],
  }));
  const [trained, ...others] = models;
  const smallest = others.reduce((a, b) => (b.fileBytes < a.fileBytes ? b : a));
  const fastest = models.reduce((a, b) => ((b.milliseconds ?? 0) < (a.milliseconds ?? 0) ? b : a));
  const facts = [
    { name: "Test accuracy", value: percent(results.testAccuracy, 2), note: `${grouped(results.testSamples)} images` },
    { name: "Parameters", value: grouped(trained.parameters), note: "all trained" },
    { name: "File", value: fileSize(trained.fileBytes), note: "safetensors" },
    {
      name: "Smallest",
      value: fileSize(smallest.fileBytes),
      note: `${smallest.name}, ${percent(smallest.accuracy, 2)} right`,
    },
    { name: "Training", value: `${times.stepsPerSecond.toFixed(1)}/s`, note: `steps of ${results.batchSize} images` },
    {
      name: "One prediction",
      value: milliseconds(trained.milliseconds),
      note: `${milliseconds(fastest.milliseconds)} ${fastest.name}`,
    },
    { name: "Memory", value: fileSize(trained.memoryBytes), note: "for one image" },
  ];
  const again = results.models.every((each) => each.identicalAfterReload) ? "identical" : "DIFFERENT";
  const timesSmaller = (/** @type {number} */ part) => Math.round(trained.fileBytes / part);
  const page = report({
    title: `${percent(results.testAccuracy, 2)} of ${grouped(results.testSamples)} unseen images recognised`,
    lead:
      `A convolutional network, trained from nothing in ${times.trainSeconds.toFixed(0)} seconds in WebAssembly, on ` +
      `${grouped(results.trainSamples)} ${kind} seen ${results.epochs === 1 ? "once" : `${results.epochs} times`}, and then made small: the smallest file is ` +
      `${timesSmaller(smallest.fileBytes)} times smaller and recognises ${percent(smallest.accuracy, 2)}. ` +
      `Saved and loaded again, all files and predictions are ${again}, bit for bit.`,
    facts,
    history: {
      train: record.train,
      epochs: record.seconds.map((seconds, i) => ({
        loss: history.loss[i],
        accuracy: history.accuracy[i],
        valLoss: history.val_loss[i],
        valAccuracy: history.val_accuracy[i],
        seconds,
      })),
    },
    models,
    confusion,
    classNames: Array.from({ length: classes }, (_, i) => String(i)),
    misclassified: misread.slice(0, 40),
    footer: `Made by npm run demo with seed ${results.seed}, on Node ${process.version}, ${process.platform} ${process.arch}, ${cpus()[0]?.model ?? "unknown processor"}.`,
  });
  const rows = facts.map(({ name, value, note }) => [name, value, note]);
  return { page, table: aligned([...rows, ["Saved and loaded", again, "bit for bit"]]) };
}

/** @param {number | null} value */
const milliseconds = (value) => (value === null ? "–" : `${value.toFixed(3)} ms`);

/**
 * Confusion counts and the misread images, the surest mistakes first.
 * @param {Float32Array} probabilities @param {import("./samples.mjs").Samples} test @param {number} classes
 */
function compare(probabilities, { x, y }, classes) {
  const confusion = Array.from({ length: classes }, () => new Array(classes).fill(0));
  /** @type {import("./report.mjs").Misread[]} */
  const misread = [];
  const size = x.data.length / y.data.length;
  y.data.forEach((/** @type {number} */ actual, /** @type {number} */ i) => {
    const row = probabilities.subarray(i * classes, (i + 1) * classes);
    const predicted = row.indexOf(Math.max(...row));
    confusion[actual][predicted]++;
    const pixels = x.data.subarray(i * size, (i + 1) * size);
    if (predicted !== actual)
      misread.push({ pixels, width: x.shape[2], actual, predicted, probability: row[predicted] });
  });
  misread.sort((a, b) => b.probability - a.probability);
  return { confusion, misread };
}

/** @param {number} value */
const grouped = (value) => value.toLocaleString("en-US");

/** @param {string[][]} rows */
function aligned(rows) {
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map(([a, b, c]) => `${a.padEnd(widths[0])}  ${b.padStart(widths[1])}  ${c}`.trimEnd()).join("\n");
}
