// @ts-check
// What the demo is asked to do, from the command line. Wrong arguments are told in one line, with exit code 2.

import { parseArgs } from "node:util";

export const usage = `Usage: npm run demo -- [options]

Trains a small convolutional network, tests it, saves it, loads it again, and writes a report.

  --data DIR     train on the IDX files in DIR, named as MNIST's are (train-images-idx3-ubyte, with or without .gz, ...)
                 instead of on digits drawn by the program itself
  --epochs N     times to go through the training set (default 5)
  --seed N       everything random follows from it (default 1)
  --out DIR      where model.safetensors and report.html go (default out)
  --json         print the results as one line of JSON on standard output, progress on standard error
  --help         print this`;

/** An error that the user can mend: its message is all there is to say. */
export class UsageError extends Error {}

/**
 * @typedef {{ data?: string, epochs: number, seed: number, out: string, json: boolean, help: boolean }} Options
 * @param {string[]} args
 * @returns {Options}
 * @throws {UsageError} for arguments that are unknown or out of range
 */
export function parseOptions(args) {
  const { values } = parse(args);
  return {
    data: values.data,
    epochs: whole("--epochs", values.epochs, 1, 10_000),
    seed: whole("--seed", values.seed, 0, 2 ** 32 - 1),
    out: values.out,
    json: values.json,
    help: values.help,
  };
}

/** @param {string[]} args */
function parse(args) {
  try {
    return parseArgs({
      args,
      options: {
        data: { type: "string" },
        epochs: { type: "string", default: "5" },
        seed: { type: "string", default: "1" },
        out: { type: "string", default: "out" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    // parseArgs goes on about positional arguments after its first sentence.
    throw new UsageError(/** @type {Error} */ (error).message.split(/\. |\n/)[0]);
  }
}

/** @param {string} name @param {string} value @param {number} least @param {number} most */
function whole(name, value, least, most) {
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new UsageError(`${name}: expected a whole number from ${least} to ${most}, got "${value}"`);
}
