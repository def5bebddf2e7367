// @ts-check
// The demo's results in words and figures: a table for the terminal and the findings that the report shows.

import { cpus } from "node:os";
import { percent } from "./charts.mjs";
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
 * @property {number} parameters
 * @property {number} fileBytes
 * @property {number} plannedBytes
 * @property {boolean} identicalAfterReload
 * @property {Record<string, number[]>} history
 * @property {{ trainSeconds: number, stepsPerSecond: number, predictMilliseconds: number }} times
 */

/**
 * @param {object} run
 * @param {Results} run.results
 * @param {{ train: import("./report.mjs").History["train"], seconds: number[] }} run.record
 * @param {Float32Array} run.probabilities [n, classes] on the test set
 * @param {import("./samples.mjs").Samples} run.test
 * @param {string} run.kind what the samples are, in the plural
 * @returns {{ page: string, table: string }}
 */
export function present({ results, record, probabilities, test, kind }) {
  const { classes, times, history } = results;
  const { confusion, misread } = compare(probabilities, test, classes);
  const facts = [
    { name: "Test accuracy", value: percent(results.testAccuracy, 2), note: `${grouped(results.testSamples)} images` },
    { name: "Parameters", value: grouped(results.parameters), note: "all trained" },
    { name: "File", value: size(results.fileBytes), note: "safetensors" },
    { name: "Training", value: `${times.stepsPerSecond.toFixed(1)}/s`, note: `steps of ${results.batchSize} images` },
    { name: "One prediction", value: `${times.predictMilliseconds.toFixed(2)} ms`, note: "median of 300" },
    { name: "Planned memory", value: size(results.plannedBytes), note: "for one image" },
  ];
  const again = results.identicalAfterReload ? "identical" : "DIFFERENT";
  const page = report({
    title: `${percent(results.testAccuracy, 2)} of ${grouped(results.testSamples)} unseen images recognised`,
    lead:
      `A convolutional network, trained from nothing in ${times.trainSeconds.toFixed(0)} seconds in WebAssembly, on ` +
      `${grouped(results.trainSamples)} ${kind} seen ${results.epochs} times. Saved and loaded again, its file and its predictions are ${again}, bit for bit.`,
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
    confusion,
    classNames: Array.from({ length: classes }, (_, i) => String(i)),
    misclassified: misread.slice(0, 40),
    footer: `Made by npm run demo with seed ${results.seed}, on Node ${process.version}, ${process.platform} ${process.arch}, ${cpus()[0]?.model ?? "unknown processor"}.`,
  });
  const rows = facts.map(({ name, value, note }) => [name, value, note]);
  return { page, table: aligned([...rows, ["Saved and loaded", again, "bit for bit"]]) };
}

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

/** @param {number} bytes */
const size = (bytes) => (bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(2)} MB`);

/** @param {string[][]} rows */
function aligned(rows) {
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map(([a, b, c]) => `${a.padEnd(widths[0])}  ${b.padStart(widths[1])}  ${c}`.trimEnd()).join("\n");
}
