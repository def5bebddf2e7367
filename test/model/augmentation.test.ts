// Layers that change images at random, while a model is trained: what becomes of the pixels, that every sample and every step has numbers
// of its own, and that gradients go back where the pixels came from. All ways of reading, against their oracle, are in cases/affine.ts.

import { build as bundle } from "esbuild";
import { describe, expect, test } from "vitest";
import { leaf } from "../../src/graph/value.js";
import {
  build,
  centerCrop,
  conv2d,
  dense,
  globalAveragePooling2d,
  input,
  type Layer,
  load,
  mul,
  randomBrightness,
  randomContrast,
  randomCrop,
  randomFlip,
  randomRotation,
  randomTranslation,
  randomZoom,
  resizing,
  save,
  sequential,
  sum,
  type Tensor,
  tensor,
  type Value,
} from "../../src/index.js";
import { randomTransform } from "../../src/ops/affine.js";
import { inputOp } from "../../src/ops/leaf.js";
import { gradients } from "../../src/passes/grad.js";
import { training } from "../../src/passes/training.js";
import { Program } from "../../src/program/program.js";
import { train } from "../../src/runtime/families/train.js";
import { fit, trainer } from "../../src/train/index.js";
import { numbers } from "../oracle/array.js";

const image = [5, 6, 3] as const;
const SIZE = 5 * 6 * 3;

interface Trained {
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** Of y, and what came of it for x. */
  readonly upstream: Float32Array;
  readonly gradient: Float32Array;
}

/** What a layer makes of a batch while it is trained, and the gradient to its input. */
async function trained(layer: Layer, batch: number, step = 0, low = -1, high = 1): Promise<Trained> {
  const model = await build(input([...image]), layer);
  model.store.use(train);
  const { inputs, outputs } = training(model.atBatch(batch));
  const spec = { shape: outputs[0].shape, dtype: "float32" } as const;
  const upstream = leaf(inputOp, spec, spec);
  const [dx] = gradients(sum(mul(outputs[0], upstream)), inputs);
  const program = new Program(model.store, {
    inputs: [...inputs, upstream],
    outputs: [outputs[0], dx as Value],
    effects: [],
  });
  program.bind();
  const feeds = [inputs[0], upstream].map(({ shape }, i) => Float32Array.from(numbers(shape, i + 3, low, high).data));
  feeds.forEach((feed, i) => {
    program.view(program.layout.graph.inputs[i]).set(feed);
  });
  program.setArgument("rng", [12, 34, step]);
  program.run();
  const [y, gradient] = program.layout.graph.outputs.map((value) => program.view(value).slice() as Float32Array);
  return { x: feeds[0], y, upstream: feeds[1], gradient };
}

/** Pixels [h, w, 3] of each sample as texts, in rows. */
function samples(data: Float32Array, [h, w]: readonly [number, number]): string[][][] {
  const pixel = (i: number) => data.subarray(3 * i, 3 * i + 3).join();
  return Array.from({ length: data.length / (3 * h * w) }, (_, n) =>
    Array.from({ length: h }, (_, i) => Array.from({ length: w }, (_, j) => pixel((n * h + i) * w + j))),
  );
}

const share = (list: readonly boolean[]) => list.filter(Boolean).length / list.length;
const N = 600;

describe("randomFlip", () => {
  const reversed = (rows: string[][]) => rows.map((row) => [...row].reverse());

  test.each([
    ["horizontal", [0.5, 0.5, 0, 0]],
    ["vertical", [0.5, 0, 0.5, 0]],
    ["horizontal_and_vertical", [0.25, 0.25, 0.25, 0.25]],
  ] as const)("%s mirrors each image by itself, each way as often as it should", async (mode, shares) => {
    const { x, y } = await trained(randomFlip(mode), N);
    const [before, after] = [x, y].map((data) => samples(data, [5, 6]));
    const ways = [
      (rows: string[][]) => rows,
      reversed,
      (rows: string[][]) => [...rows].reverse(),
      (rows: string[][]) => reversed([...rows].reverse()),
    ];
    const which = after.map((rows, n) => ways.findIndex((way) => String(way(before[n])) === String(rows)));
    expect(Math.min(...which)).toBe(0);
    shares.forEach((expected, way) => {
      const found = share(which.map((w) => w === way));
      expect(Math.abs(found - expected), `way ${way}`).toBeLessThan(expected === 0 ? 1e-9 : 4 * Math.sqrt(0.25 / N));
    });
  });
});

test("randomCrop takes parts that lie within the image, all of them about equally often", async () => {
  const { x, y, upstream, gradient } = await trained(randomCrop(3, 4), N);
  const before = samples(x, [5, 6]);
  const parts = samples(y, [3, 4]).map((rows, n) => {
    for (let top = 0; top < 3; top++)
      for (let left = 0; left < 3; left++) {
        const part = before[n].slice(top, top + 3).map((row) => row.slice(left, left + 4));
        if (String(part) === String(rows)) return 3 * top + left;
      }
    return -1;
  });
  for (let part = 0; part < 9; part++)
    expect(Math.abs(share(parts.map((p) => p === part)) - 1 / 9), `part ${part}`).toBeLessThan(0.052); // 4 standard deviations
  expect(parts).not.toContain(-1);
  // The gradient is the upstream one where the part came from, and nothing around it.
  const [back, from] = [samples(gradient, [5, 6]), samples(upstream, [3, 4])];
  parts.forEach((part, n) => {
    const [top, left] = [Math.floor(part / 3), part % 3];
    const expected = before[n].map((row, i) => row.map((_, j) => from[n][i - top]?.[j - left] ?? "0,0,0"));
    expect(back[n]).toEqual(expected);
  });
});

test("randomTranslation by whole pixels moves down and to the right for positive factors", async () => {
  const layer = randomTranslation([0.4, 0.4], [0.5, 0.5], {
    fillMode: "constant",
    fillValue: 7,
    interpolation: "nearest",
  });
  const { x, y } = await trained(layer, 2);
  const [before, after] = [x, y].map((data) => samples(data, [5, 6]));
  after.forEach((rows, n) => {
    expect(rows).toEqual(before[n].map((row, i) => row.map((_, j) => before[n][i - 2]?.[j - 3] ?? "7,7,7")));
  });
});

test("randomRotation by a quarter turns counter-clockwise", async () => {
  const square = sequential(centerCrop(5, 5), randomRotation([0.25, 0.25], { interpolation: "nearest" }));
  const { x, y } = await trained(square, 1);
  const before = samples(x, [5, 6])[0].map((row) => row.slice(0, 5));
  const after = samples(y, [5, 5])[0];
  // What was the last column, from above, is the first row.
  expect(after[0]).toEqual(before.map((row) => row[4]));
  expect(after).toEqual(after.map((_, i) => before.map((row) => row[4 - i])));
});

test("randomZoom takes images nearer for negative factors, and keeps proportions without a second one", async () => {
  const half = randomZoom([-0.5, -0.5], null, { interpolation: "bilinear" });
  const { x, y } = await trained(half, 1);
  // Half as far from the center (2, 2.5): the corner is read at (1, 1.25).
  const at = (i: number, j: number) => x[(i * 6 + j) * 3];
  expect(y[0]).toBeCloseTo(0.75 * at(1, 1) + 0.25 * at(1, 2), 6);
  const wide = await trained(randomZoom([0, 0], [1, 1], { fillMode: "constant", fillValue: 9 }), 1);
  expect(wide.y[0]).toBe(9); // the column is read at -2.5
});

test("randomContrast scales the distance from each channel's mean, and clips", async () => {
  const { x, y } = await trained(randomContrast([0.5, 1], { valueRange: [0, 1] }), 40, 0, 0, 1);
  const factors = Array.from({ length: 40 }, (_, n) => {
    const channel = (data: Float32Array, c: number) => Array.from({ length: 30 }, (_, i) => data[n * SIZE + 3 * i + c]);
    const means = [0, 1, 2].map((c) => channel(x, c).reduce((a, b) => a + b) / 30);
    const inside = [0, 1, 2].flatMap((c) =>
      channel(y, c).flatMap((v, i) =>
        v > 0 && v < 1 && Math.abs(channel(x, c)[i] - means[c]) > 0.1
          ? [(v - means[c]) / (channel(x, c)[i] - means[c])]
          : [],
      ),
    );
    expect(Math.max(...inside) - Math.min(...inside)).toBeLessThan(1e-4);
    return inside[0];
  });
  expect(Math.min(...factors)).toBeGreaterThanOrEqual(0.5);
  expect(Math.max(...factors)).toBeLessThan(2);
  expect(Math.max(...factors) - Math.min(...factors)).toBeGreaterThan(1);
  expect([Math.min(...y), Math.max(...y)]).toEqual([0, 1]);
});

test("randomBrightness adds one number to all of an image, a share of the value range", async () => {
  const { x, y, upstream, gradient } = await trained(randomBrightness([0.1, 0.2], { valueRange: [-10, 10] }), 40);
  const added = Array.from({ length: 40 }, (_, n) => {
    const all = Array.from({ length: SIZE }, (_, i) => y[n * SIZE + i] - x[n * SIZE + i]);
    expect(Math.max(...all) - Math.min(...all)).toBeLessThan(1e-6);
    return all[0];
  });
  expect(Math.min(...added)).toBeGreaterThan(2 - 1e-6);
  expect(Math.max(...added)).toBeLessThan(4);
  expect(new Set(added).size).toBe(40);
  expect(gradient).toEqual(upstream);
});

test("the numbers are new at every step and in every layer, and the same again for the same step", async () => {
  const layer = () => randomTranslation(0.3, 0.3);
  const [first, again, next] = await Promise.all([0, 0, 1].map((step) => trained(layer(), 8, step)));
  expect(again.y).toEqual(first.y);
  expect(next.y).not.toEqual(first.y);
  const back = sequential(
    randomTranslation(0.3, 0.3, { fillMode: "wrap" }),
    randomTranslation(0.3, 0.3, { fillMode: "wrap" }),
  );
  const twice = await trained(back, 8);
  const once = await trained(sequential(layer()), 8);
  expect(twice.y).not.toEqual(once.y);
});

test("a batch of one has the numbers of the first sample of a larger one", async () => {
  const [one, many] = [await trained(randomFlip(), 1, 3), await trained(randomFlip(), 9, 3)];
  expect(many.y.slice(0, SIZE)).toEqual(one.y);
});

test("what lies before a random layer is trained through it", async () => {
  const net = sequential(conv2d(4, 3, { name: "stem" }), randomRotation(0.1), globalAveragePooling2d(), dense(1));
  const model = await build(input([8, 8, 1]), net);
  const before = model.weights()["stem/kernel"].data.slice();
  const x = tensor(Float32Array.from(numbers([4, 8, 8, 1], 1).data), [4, 8, 8, 1]);
  trainer(model, { optimizer: "sgd", loss: "mse" }).step({ x, y: tensor([[1], [2], [3], [4]]) });
  expect(model.weights()["stem/kernel"].data).not.toEqual(before);
});

test("a trained model predicts without augmentation, comes back from its file, and trains on", async () => {
  const net = (...augmentation: Layer[]) =>
    sequential(...augmentation, conv2d(2, 3, { name: "c" }), globalAveragePooling2d(), dense(1, { name: "d" }));
  const random = [randomFlip("horizontal"), randomTranslation(0.1, 0.1), randomContrast(0.2, { valueRange: [-1, 1] })];
  const model = await build(input([6, 6, 1]), net(...random, randomCrop(5, 5)), { seed: 1 });
  const data = {
    x: tensor(Float32Array.from(numbers([20, 6, 6, 1], 1).data), [20, 6, 6, 1]),
    y: tensor(Float32Array.from(numbers([20, 1], 2).data), [20, 1]),
  };
  const how = { optimizer: "sgd", loss: "mse", seed: 4 } as const;
  await fit(model, data, how);
  const plain = await build(input([6, 6, 1]), net(centerCrop(5, 5)));
  plain.setWeights(model.weights());
  const expected = (plain.predict(data.x) as Tensor).data;
  expect((model.predict(data.x) as Tensor).data).toEqual(expected);
  const copy = await load(save(model));
  expect((copy.predict(data.x) as Tensor).data).toEqual(expected);
  await fit(model, data, how);
  await fit(copy, data, how);
  expect(copy.weights()).toEqual(model.weights());
});

test("a bundle that leaves augmentation out says which layer to name", async () => {
  const file = save(await build(input([6, 6, 1]), randomZoom(0.1)));
  const of = async (contents: string) => {
    const made = await bundle({
      stdin: { contents, resolveDir: process.cwd() },
      bundle: true,
      format: "esm",
      write: false,
    });
    return import(`data:text/javascript;base64,${Buffer.from(made.outputFiles[0].text).toString("base64")}`);
  };
  const without = await of('export { load } from "lanewise";');
  await expect(without.load(file)).rejects.toThrow("load(file, { layers: [randomZoom] })");
  const whole = await of(
    'import { load, randomZoom } from "lanewise"; export const open = (f) => load(f, { layers: [randomZoom] });',
  );
  const x = Float32Array.from(numbers([1, 6, 6, 1], 1).data);
  expect((await whole.open(file)).predict(x.slice()).data).toEqual(x);
});

test("resizing keeps proportions by cropping or by padding", async () => {
  const x = input([4, 8, 1]);
  const ones = tensor(
    Float32Array.from({ length: 32 }, (_, i) => i % 8),
    [1, 4, 8, 1],
  );
  const of = async (layer: Layer) => (await build(x, layer)).predict(ones) as Tensor;
  expect([...(await of(resizing(2, 2, { cropToAspectRatio: true }))).data]).toEqual([2.5, 4.5, 2.5, 4.5]);
  const padded = await of(resizing(4, 4, { padToAspectRatio: true }));
  expect([...padded.data.slice(0, 4), ...padded.data.slice(12)]).toEqual(Array(8).fill(0));
  expect([...padded.data.slice(4, 8)]).toEqual([0.5, 2.5, 4.5, 6.5]);
  expect((await of(centerCrop(8, 8))).shape).toEqual([1, 8, 8, 1]); // a smaller image is made larger
  expect((await of(randomCrop(5, 3))).shape).toEqual([1, 5, 3, 1]);
});

test.each([
  ["a mode of flipping", () => randomFlip("both" as never), 'randomFlip: expected mode to be "horizontal"'],
  ["a factor below 0", () => randomRotation(-0.1), "randomRotation: expected factor to be a number of at least 0"],
  ["a factor that is no number", () => randomZoom("0.5" as never), "randomZoom: expected heightFactor to be"],
  ["a range in the wrong order", () => randomTranslation([0.2, 0.1], 0), "got [0.2,0.1]"],
  ["a translation of more than the image", () => randomTranslation(0, 1.5), "widthFactor to be a number of at least 0"],
  ["a zoom beyond nothing", () => randomZoom([-1.5, 0]), "between -1 and 1000"],
  ["three numbers", () => randomBrightness([0, 0.1, 0.2] as never), "randomBrightness: expected factor"],
  ["a negative contrast", () => randomContrast(-0.1), "randomContrast: expected factor to be a number in [0, 1]"],
  ["a value range upside down", () => randomContrast(0.1, { valueRange: [1, 0] }), "valueRange to be two numbers"],
  ["a way to fill", () => randomRotation(0.1, { fillMode: "mirror" as never }), '"reflect" or "wrap", got "mirror"'],
  ["an interpolation", () => randomZoom(0.1, 0.1, { interpolation: "cubic" as never }), 'got "cubic"'],
  ["an infinite fill", () => randomZoom(0.1, 0.1, { fillValue: Number.POSITIVE_INFINITY }), "fillValue to be a finite"],
  ["an option that there is not", () => randomFlip("vertical", { seed: 1 } as never), '"seed"'],
  ["a crop of nothing", () => randomCrop(0, 3), "randomCrop: expected height to be a positive integer"],
  [
    "a file's transform of no pixels to some",
    () =>
      randomTransform(input([0, 4, 1]), {
        kind: "shift",
        rows: [0, 1],
        columns: [0, 1],
        interpolation: "nearest",
        fillMode: "wrap",
        fillValue: 0,
        size: [2, 2],
      }),
    "randomTransform: expected an image of at least [2, 2] pixels",
  ],
  ["a sequence", () => randomFlip()(input([4, 3])), "an image [height, width, channels]"],
  ["bytes", () => randomFlip()(input([4, 4, 3], { dtype: "uint8" })), "expected float32 operands"],
  ["a size of 0", () => resizing(0, 4), "resizing: expected height to be a positive integer"],
  [
    "both ways to keep proportions",
    () => resizing(4, 4, { cropToAspectRatio: true, padToAspectRatio: true }),
    "got both",
  ],
] as const)("%s is refused", (_, call, told) => {
  expect(call).toThrow(told);
});
