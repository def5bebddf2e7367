// @ts-check
// What examples are asked to do, from the command line. Wrong arguments are told in one line, with exit code 2.

import { parseArgs } from "node:util";

/** An error that the user can mend: its message is all there is to say. */
export class UsageError extends Error {}

/**
 * The options of a command line, as `node:util` parses them.
 * @template {NonNullable<import("node:util").ParseArgsConfig["options"]>} O
 * @param {string[]} args
 * @param {O} options
 * @returns {ReturnType<typeof parseArgs<{ args: string[], options: O }>>["values"]}
 * @throws {UsageError} for arguments that are unknown or incomplete
 */
export function parse(args, options) {
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    // parseArgs goes on about positional arguments after its first sentence.
    throw new UsageError(/** @type {Error} */ (error).message.split(/\. |\n/)[0]);
  }
}

/**
 * A whole number from a command line.
 * @param {string} name @param {string} value @param {number} least @param {number} most
 * @throws {UsageError} for anything else
 */
export function whole(name, value, least, most) {
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new UsageError(`${name}: expected a whole number from ${least} to ${most}, got "${value}"`);
}

/** The seed of everything random. @param {string} value */
export const wholeSeed = (value) => whole("--seed", value, 0, 2 ** 32 - 1);
