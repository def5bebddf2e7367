// @ts-check
// What every example does besides its subject: options in, results out.

import { parse, UsageError, wholeSeed } from "./options.mjs";

/**
 * @typedef {object} Options
 * @property {string | undefined} data the folder to read; without one the example makes its own data
 * @property {boolean} quick sizes for a look, and for CI: seconds instead of minutes
 * @property {number} seed everything random follows from it
 *
 * @typedef {number | string | boolean | null | readonly Result[] | { readonly [key: string]: Result }} Result
 */

/**
 * Runs an example as a command: `main` gets the options, and what it returns is printed, as a table or with `--json` as one line of JSON.
 * `seed`, `data` and `quick` are added to it, and `times.seconds`, which with the rest of `times` is all that differs from run to run.
 * Progress belongs on standard error.
 * @param {object} about
 * @param {string} about.name the folder's: the command is `npm run example:NAME`
 * @param {string} about.does one sentence
 * @param {string} about.data what `--data DIR` has to hold, and what is used without it
 * @param {(options: Options) => Promise<{ readonly [key: string]: Result }>} main
 */
export async function example({ name, does, data }, main) {
  const usage = `Usage: npm run example:${name} -- [options]

${does}

  --data DIR     ${data}
  --seed N       everything random follows from it (default 1)
  --quick        a small run of seconds, to see that it works; its numbers mean little
  --json         print the results as one line of JSON on standard output, progress on standard error
  --help         print this`;
  try {
    const { json, help, seed, ...given } = parse(process.argv.slice(2), {
      data: { type: "string" },
      seed: { type: "string", default: "1" },
      quick: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    });
    if (help) return console.log(usage);
    const options = { data: given.data, quick: given.quick, seed: wholeSeed(seed) };
    const start = performance.now();
    const { times, ...found } = await main(options);
    const results = {
      ...found,
      data: options.data ?? null,
      seed: options.seed,
      quick: options.quick,
      times: { seconds: round((performance.now() - start) / 1000), .../** @type {{}} */ (times) },
    };
    console.log(json ? JSON.stringify(results) : table(results));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${name}: ${error.message}`);
    process.exitCode = 2;
  }
}

/** Where there is no terminal for a progress bar: a line per epoch on standard error. A callback for `fit`. */
export const lines = {
  /** @param {import("lanewise/train").FitEpoch} at */
  onEpochEnd({ epoch, epochs, logs, seconds }) {
    const values = Object.entries(logs).map(([name, value]) => `${name} ${value.toFixed(4)}`);
    console.error(`epoch ${epoch}/${epochs}  ${values.join("  ")}  ${seconds.toFixed(1)} s`);
  },
};

/** How many numbers a model has learnt, moving statistics included. @param {import("lanewise").Model} model */
export const parameters = (model) => Object.values(model.weights()).reduce((sum, { data }) => sum + data.length, 0);

/** @param {number} x */
const round = (x) => Math.round(x * 1000) / 1000;

/** Names and values in two columns; what lies within another value is named by its path. @param {Result} results */
function table(results) {
  const rows = flat("", results);
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n");
}

/** @param {string} path @param {Result} value @returns {[string, string][]} */
function flat(path, value) {
  if (typeof value === "number") return [[path, Number.isInteger(value) ? String(value) : value.toPrecision(5)]];
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [[path, String(value ?? "none")]];
  return Object.entries(value).flatMap(([key, part]) => flat(path === "" ? key : `${path}.${key}`, part));
}
