// The loader on real files: MNIST as stored in ../shared, against the numbers that its README states.
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { idx, images, labels } from "../../src/data/index.js";

const folder = new URL("../../../shared/data/mnist/", import.meta.url);
// In CI a missing data set is a failure: reading the files reports it.
const present = existsSync(folder) || process.env.CI !== undefined;
const tests = [
  {
    set: "train",
    count: 60000,
    sum: 1567298545,
    first: [5, 0, 4, 1, 9, 2, 1, 3, 1, 4],
    perClass: [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
  },
  {
    set: "t10k",
    count: 10000,
    sum: 264923200,
    first: [7, 2, 1, 0, 4, 1, 4, 9, 5, 9],
    perClass: [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
  },
];

if (!present) console.warn(`SKIPPED ${tests.length} tests: no MNIST in ${folder.pathname}`);

const open = (name: string) => idx(readFileSync(new URL(`${name}.gz`, folder)));

test.skipIf(!present).each(tests)("MNIST's $set files read as their README says", async (facts) => {
  const pixels = await open(`${facts.set}-images-idx3-ubyte`);
  expect([pixels.dtype, pixels.shape]).toEqual(["uint8", [facts.count, 28, 28]]);
  let sum = 0;
  for (const byte of pixels.data) sum += byte;
  expect(sum).toBe(facts.sum);

  const y = labels(await open(`${facts.set}-labels-idx1-ubyte`));
  expect([y.dtype, y.shape]).toEqual(["int32", [facts.count]]);
  expect(Array.from(y.data.subarray(0, 10))).toEqual(facts.first);
  const perClass = new Array<number>(10).fill(0);
  for (const digit of y.data) perClass[digit]++;
  expect(perClass).toEqual(facts.perClass);

  const x = images(pixels);
  expect([x.dtype, x.shape]).toEqual(["float32", [facts.count, 28, 28, 1]]);
  if (facts.set === "train") {
    let mean = 0;
    let squares = 0;
    for (const v of x.data) {
      mean += v / x.data.length;
      squares += (v * v) / x.data.length;
    }
    expect(mean).toBeCloseTo(0.1306605, 7);
    expect(Math.sqrt(squares - mean * mean)).toBeCloseTo(0.3081078, 7);
  }
});
