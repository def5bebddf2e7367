// The flags that all benchmarks take, and what is said of those that they do not.
import { parseArgs } from "node:util";

/** For benchmarks of our own: which kernels. */
export const MATH = { math: { type: "string", default: "exact", choices: ["exact", "relaxed"] } };

/** What is printed and compared: medians, or the fastest calls for a machine that has other work. */
export const BY = { by: { type: "string", default: "median", choices: ["median", "min"] } };

const FLAGS = {
  only: { type: "string", default: "" }, // rows whose section or name holds this text
  rounds: { type: "string" }, // how often each row is visited
  json: { type: "boolean", default: false }, // JSON instead of tables
  save: { type: "boolean", default: false }, // also writes results/<name>.json
};

/**
 * `{ only, rounds, json, save }` and one key for each of `more`, from the command line. What cannot be understood ends the process with
 * one line and exit code 2.
 * @param command its name, for that line
 * @param rounds the default
 * @param more as `parseArgs` takes them; `choices` are all that a text may be
 */
export function readOptions(command, rounds, more = {}) {
  const flags = { ...FLAGS, ...more };
  try {
    const { values } = parseArgs({ options: flags });
    for (const [name, { choices }] of Object.entries(more)) {
      if (choices && !choices.includes(values[name]))
        throw new Error(`--${name} takes ${choices.join(" or ")}, not '${values[name]}'`);
    }
    const count = Number(values.rounds ?? rounds);
    if (!Number.isInteger(count) || count < 1)
      throw new Error(`--rounds takes a positive integer, not '${values.rounds}'`);
    return { ...values, rounds: count };
  } catch (error) {
    const names = Object.keys(flags).map((name) => `--${name}`);
    console.error(`${command}: ${error.message.split(". ")[0]} (known: ${names.join(", ")})`);
    process.exit(2);
  }
}
