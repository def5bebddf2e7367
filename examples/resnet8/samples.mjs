// @ts-check
// What the example trains and tests on: CIFAR-10 as folders of JPEG files in two tars, or patterns that it draws itself.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { tensor } from "lanewise";
import { dataset, imageFolder } from "lanewise/data";
import { UsageError } from "../common/options.mjs";

/**
 * @typedef {import("lanewise/data").Dataset<{ x: import("lanewise").Tensor, y: import("lanewise").Tensor }>} Images
 * @typedef {{ train: Images, test: Images, classNames: readonly string[], kind: string }} Sets
 */

/** Of CIFAR-10's training images, red, green and blue. */
const mean = [0.49, 0.481, 0.445];
const std = [0.245, 0.242, 0.26];

/**
 * `train.tar.gz` and `test-a.tar.gz` (or `test.tar.gz`) in a folder: `train/<class>/<number>.jpg`. Each file is decoded once, when its turn first comes.
 * @param {string} folder
 * @returns {Promise<Sets>}
 * @throws {UsageError} when one of them is missing
 */
export async function stored(folder) {
  const pathOf = (/** @type {string[]} */ ...names) => {
    const found = names.map((name) => join(folder, name)).find((path) => existsSync(path));
    if (found === undefined) throw new UsageError(`no file ${names.join(" or ")} in ${folder}`);
    return found;
  };
  const how = /** @type {const} */ ({ imageSize: [32, 32], mean, std, cache: true });
  const train = await imageFolder(pathOf("train.tar.gz"), how);
  const { classNames } = train;
  const test = await imageFolder(pathOf("test-a.tar.gz", "test.tar.gz"), { ...how, classNames });
  return { train, test, classNames, kind: "JPEG files" };
}

/**
 * What is painted where: x and y are from -1 to 1 about a center.
 * @type {Record<string, (x: number, y: number) => boolean>}
 */
const patterns = {
  disc: (x, y) => x * x + y * y < 0.5,
  ring: (x, y) => Math.abs(x * x + y * y - 0.5) < 0.25,
  square: (x, y) => Math.abs(x) < 0.7 && Math.abs(y) < 0.7,
  frame: (x, y) => Math.abs(Math.max(Math.abs(x), Math.abs(y)) - 0.7) < 0.2,
  diamond: (x, y) => Math.abs(x) + Math.abs(y) < 0.9,
  plus: (x, y) => Math.min(Math.abs(x), Math.abs(y)) < 0.25 && Math.max(Math.abs(x), Math.abs(y)) < 0.9,
  cross: (x, y) => Math.abs(Math.abs(x) - Math.abs(y)) < 0.3 && Math.abs(x) < 0.8,
  bars: (x, _y) => Math.abs(x) < 1 && Math.floor((x + 1) * 3) % 2 === 0,
  stripes: (_x, y) => Math.abs(y) < 1 && Math.floor((y + 1) * 3) % 2 === 0,
  checks: (x, y) => Math.abs(x) < 1 && Math.abs(y) < 1 && (Math.floor((x + 1) * 2) + Math.floor((y + 1) * 2)) % 2 === 0,
};

/**
 * Ten patterns in colours of their own at places of their own, under noise.
 * @param {number} seed @param {{ train: number, test: number }} counts
 * @returns {Sets}
 */
export function drawn(seed, counts) {
  const random = uniform(seed);
  const classNames = Object.keys(patterns);
  /** @param {number} count */
  const draw = (count) => {
    const x = new Float32Array(count * 32 * 32 * 3);
    const y = Int32Array.from({ length: count }, (_, i) => i % 10);
    for (let i = 0, at = 0; i < count; i++) {
      const painted = Object.values(patterns)[i % 10];
      const [cx, cy, size] = [10 + 12 * random(), 10 + 12 * random(), 7 + 5 * random()];
      const [paper, ink] = [0, 1].map(() => [random(), random(), random()]);
      for (let row = 0; row < 32; row++)
        for (let column = 0; column < 32; column++) {
          const colour = painted((column - cx) / size, (row - cy) / size) ? ink : paper;
          for (const value of colour) x[at++] = 2 * value - 1 + 0.6 * (random() - 0.5);
        }
    }
    return dataset({ x: tensor(x, [count, 32, 32, 3]), y: tensor(y, [count]) });
  };
  return { train: draw(counts.train), test: draw(counts.test), classNames, kind: "drawn patterns" };
}

/** Numbers in [0, 1) from integers alone, the same in every engine: xorshift32 (Marsaglia, 2003). @param {number} seed */
function uniform(seed) {
  let state = (Math.imul(seed + 1, 0x9e3779b9) ^ 0x2545f491) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
