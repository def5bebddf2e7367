// @ts-check
// What the demo is asked to do, from the command line.

import { parse, UsageError, whole, wholeSeed } from "../common/options.mjs";

export { UsageError };

export const usage = `Usage: npm run demo -- [options]

Trains a convolutional network; prunes it, teaches a smaller one what it knows, and quantizes both; compares them all, saves them, loads them
again, and writes a report.

  --data DIR     train on the IDX files in DIR, named as MNIST's are (train-images-idx3-ubyte, with or without .gz, ...)
                 instead of on digits drawn by the program itself
  --epochs N     times to go through the training set (default 5, with --quick 1)
  --seed N       everything random follows from it (default 1)
  --out DIR      where the models and report.html go (default out)
  --quick        a small run of seconds, to see that it works: a tenth of the drawn digits
  --json         print the results as one line of JSON on standard output, progress on standard error
  --help         print this`;

/**
 * @typedef {{ data?: string, epochs: number, seed: number, out: string, quick: boolean, json: boolean, help: boolean }} Options
 * @param {string[]} args
 * @returns {Options}
 * @throws {UsageError} for arguments that are unknown or out of range
 */
export function parseOptions(args) {
  const values = parse(args, {
    data: { type: "string" },
    epochs: { type: "string" },
    seed: { type: "string", default: "1" },
    out: { type: "string", default: "out" },
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  });
  const { data, out, quick, json, help, epochs = quick ? "1" : "5" } = values;
  return { data, epochs: whole("--epochs", epochs, 1, 10_000), seed: wholeSeed(values.seed), out, quick, json, help };
}
