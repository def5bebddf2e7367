// @ts-check
// The tables: read from a folder, or drawn.

import { csv } from "lanewise/data";
import { textOf } from "../common/files.mjs";
import { UsageError } from "../common/options.mjs";
import { bell, randomFrom } from "../common/random.mjs";

/**
 * @typedef {object} Table rows of numbers, and of one category where `kinds` is not 0
 * @property {number} rows
 * @property {number} width how many numbers a row has
 * @property {Float32Array} numbers [rows, width]
 * @property {Int32Array} categories [rows], each less than `kinds`
 * @property {number} kinds
 * @property {Float32Array} y what is to be predicted: a number, or a class 0 or 1
 */

/** Abalone: the number of rings from the sex and seven measurements. @param {string} folder */
export async function abalone(folder) {
  const { columns, rows, names } = read(await textOf(folder, "abalone.csv"), "abalone.csv", 9);
  const [sex, rings] = [columns[names[0]], columns[names[8]]];
  if (sex.type !== "category" || rings.type !== "number")
    throw new UsageError("abalone.csv: expected a category, and numbers");
  return table(rows, names.slice(1, 8).map((name) => columns[name]), sex, rings.values); // biome-ignore format: one table
}

/** Numbers, then one of two names. @param {string} folder @param {string} file @param {number} width @returns {Promise<Table>} */
export async function twoClasses(folder, file, width) {
  const { columns, rows, names } = read(await textOf(folder, file), file, width + 1);
  const kind = columns[names[width]];
  if (kind.type !== "category" || kind.names.length !== 2) throw new UsageError(`${file}: expected two classes`);
  return table(rows, names.slice(0, width).map((name) => columns[name]), undefined, kind.values); // biome-ignore format: one table
}

/** @param {string} text @param {string} file @param {number} width */
function read(text, file, width) {
  try {
    const found = csv(text, { header: false });
    if (found.names.length !== width) throw new Error(`expected ${width} columns, got ${found.names.length}`);
    return found;
  } catch (error) {
    throw new UsageError(`${file}: ${/** @type {Error} */ (error).message}`);
  }
}

/**
 * @param {number} rows @param {import("lanewise/data").Column[]} columns @param {import("lanewise/data").CategoryColumn | undefined} category
 * @param {ArrayLike<number>} y @returns {Table}
 */
function table(rows, columns, category, y) {
  const width = columns.length;
  const numbers = Float32Array.from({ length: rows * width }, (_, i) => Number(columns[i % width].values[Math.floor(i / width)])); // biome-ignore format: one expression
  const kinds = category?.names.length ?? 0;
  return { rows, width, numbers, categories: category?.values ?? new Int32Array(rows), kinds, y: Float32Array.from(y) };
}

/**
 * Rows whose number follows from others by rules that differ between three kinds, with noise: no line fits it.
 * @param {number} seed @param {number} rows @returns {Table}
 */
export function drawnNumbers(seed, rows) {
  const random = randomFrom(seed);
  const width = 4;
  const numbers = Float32Array.from({ length: rows * width }, () => 20 * random());
  const categories = Int32Array.from({ length: rows }, () => Math.floor(3 * random()));
  const y = Float32Array.from(categories, (kind, i) => {
    const [a, b, c] = numbers.subarray(i * width, (i + 1) * width);
    const rule = [a + b, 40 - a, Math.max(a, b) + c / 4][kind];
    return rule + (a * b) / 40 + bell(random);
  });
  return { rows, width, numbers, categories, kinds: 3, y };
}

/**
 * Rows of two classes, one inside and one outside of a ball, with noise: no plane divides them.
 * @param {number} seed @param {number} rows @returns {Table}
 */
export function drawnClasses(seed, rows) {
  const random = randomFrom(seed + 1);
  const width = 6;
  const numbers = Float32Array.from({ length: rows * width }, () => bell(random));
  const y = new Float32Array(rows).map((_, i) => {
    const square = numbers.subarray(i * width, i * width + 4).reduce((sum, v) => sum + v * v, 0);
    return square + 0.5 * bell(random) > 3.4 ? 1 : 0;
  });
  return { rows, width, numbers, categories: new Int32Array(rows), kinds: 0, y };
}
