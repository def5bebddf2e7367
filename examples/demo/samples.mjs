// @ts-check
// What the demo trains and tests on: digits it draws itself, or IDX files named as MNIST's are.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { digits, idx, images, labels } from "lanewise/data";
import { UsageError } from "./options.mjs";

/**
 * @typedef {import("lanewise").Tensor} Tensor
 * @typedef {{ x: Tensor, y: Tensor }} Samples x float32 [n, height, width, 1] in [0, 1], y int32 [n]
 * @typedef {{ train: Samples, test: Samples, classes: number, kind: string }} Sets
 */

/**
 * Digits from the built-in generator: the test set from another seed.
 * @param {number} seed
 * @param {boolean} few
 * @returns {Sets}
 */
export function drawn(seed, few) {
  const train = digits({ count: few ? 800 : 8000, seed: 2 * seed });
  const test = digits({ count: few ? 200 : 2000, seed: 2 * seed + 1 });
  return { train, test, classes: 10, kind: "drawn digits" };
}

/**
 * The four files of a data set in MNIST's format.
 * @param {string} folder
 * @returns {Promise<Sets>}
 * @throws {UsageError} when a file is missing, damaged or does not fit the others
 */
export async function stored(folder) {
  const [train, test] = [await pair(folder, "train"), await pair(folder, "t10k")];
  const [, ...trained] = train.x.shape;
  const [, ...tested] = test.x.shape;
  if (String(trained) !== String(tested)) {
    throw new UsageError(`${folder}: training images are [${trained}] and test images [${tested}]`);
  }
  const classes = 1 + highest(train.y);
  if (highest(test.y) >= classes) {
    throw new UsageError(
      `${folder}: the test labels go to ${highest(test.y)}, the training labels only to ${classes - 1}`,
    );
  }
  return { train, test, classes, kind: `images from ${folder}` };
}

/**
 * Samples `from` up to, not including, `to`.
 * @param {Samples} samples @param {number} from @param {number} to
 * @returns {Samples}
 */
export function part({ x, y }, from, to) {
  const cut = (/** @type {Tensor} */ { data, shape, dtype }) => {
    const size = data.length / shape[0];
    return { data: data.subarray(from * size, to * size), shape: [to - from, ...shape.slice(1)], dtype };
  };
  return { x: cut(x), y: cut(y) };
}

/** @param {string} folder @param {"train" | "t10k"} set @returns {Promise<Samples>} */
async function pair(folder, set) {
  const x = await open(folder, `${set}-images-idx3-ubyte`, images);
  const y = await open(folder, `${set}-labels-idx1-ubyte`, labels);
  if (x.shape[0] !== y.shape[0])
    throw new UsageError(`${folder}: ${x.shape[0]} ${set} images, but ${y.shape[0]} labels`);
  if (x.shape[3] !== 1) throw new UsageError(`${folder}: ${set} images have ${x.shape[3]} channels, expected one`);
  if (x.shape[1] < 10 || x.shape[2] < 10) {
    throw new UsageError(
      `${folder}: ${set} images are ${x.shape[1]} x ${x.shape[2]}, the network needs at least 10 x 10`,
    );
  }
  if (y.data.some((label) => label < 0)) throw new UsageError(`${folder}: a ${set} label is negative`);
  if (x.shape[0] === 0) throw new UsageError(`${folder}: no ${set} images in the file`);
  return { x, y };
}

/**
 * Reads NAME or NAME.gz.
 * @param {string} folder @param {string} name @param {(stored: Tensor) => Tensor} convert
 */
async function open(folder, name, convert) {
  for (const path of [join(folder, name), join(folder, `${name}.gz`)]) {
    const bytes = await readFile(path).catch((error) => {
      if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
      throw new UsageError(`${path}: ${error.message}`);
    });
    if (bytes === undefined) continue;
    try {
      return convert(await idx(bytes));
    } catch (error) {
      throw new UsageError(`${path}: ${/** @type {Error} */ (error).message}`);
    }
  }
  throw new UsageError(`no file ${name} or ${name}.gz in ${folder}`);
}

/** @param {Tensor} y */
function highest(y) {
  let most = 0;
  for (const label of y.data) most = Math.max(most, label);
  return most; // y.data may be too long to spread into Math.max
}
