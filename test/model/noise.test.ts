// Layers that add noise, while a model is trained: how the numbers are spread, that they change from step to step, and that gradients see
// the same ones.
import { beforeAll, describe, expect, test } from "vitest";
import {
  gaussianDropout,
  gaussianNoise,
  input,
  type Layer,
  mul,
  spatialDropout1d,
  spatialDropout2d,
  sum,
  type Value,
} from "../../src/index.js";
import { gradients } from "../../src/passes/grad.js";
import { training } from "../../src/passes/training.js";
import { Program } from "../../src/program/program.js";
import { Store } from "../../src/program/store.js";
import { train } from "../../src/runtime/families/train.js";
import { compile } from "../../src/runtime/kernels.js";
import { numbers } from "../oracle/array.js";

let module: WebAssembly.Module;
beforeAll(async () => {
  module = await compile();
});

/** y of a layer while it is trained, and dx for an upstream gradient of y's own shape. */
function run(layer: Layer, shape: readonly number[], step = 0) {
  const x = input([...shape]);
  const upstream = input([...shape]);
  const { outputs } = training({ inputs: [x, upstream], outputs: [layer(x)], effects: [] });
  const [dx] = gradients(sum(mul(outputs[0], upstream)), [x]);
  const store = new Store(module);
  store.use(train);
  const program = new Program(store, {
    inputs: [x, upstream],
    outputs: [outputs[0], dx as Value],
    effects: [],
  });
  program.bind();
  const data = [numbers([1, ...shape], 3, 1, 2).data, numbers([1, ...shape], 4, 1, 2).data];
  data.forEach((each, i) => {
    program.view(program.layout.graph.inputs[i]).set(each);
  });
  program.setArgument("rng", [12, 34, step]);
  program.run();
  const [y, gradient] = program.layout.graph.outputs.map((value) => Float64Array.from(program.view(value)));
  return { x: data[0], upstream: data[1], y, gradient };
}

const mean = (list: ArrayLike<number>): number => Array.from(list).reduce((a, b) => a + b, 0) / list.length;
const deviation = (list: ArrayLike<number>): number => {
  const center = mean(list);
  return Math.sqrt(mean(Array.from(list, (v) => (v - center) ** 2)));
};

describe.each([
  ["spatialDropout1d", spatialDropout1d(0.25), [6, 2000]],
  ["spatialDropout2d", spatialDropout2d(0.25), [2, 3, 2000]],
] as const)("%s", (_, layer, shape) => {
  test("drops whole channels, a share of them as asked, and scales the others; the gradient too", () => {
    const { x, y, upstream, gradient } = run(layer, shape);
    const channels = shape[shape.length - 1];
    const factors = x.slice(0, channels).map((v, c) => y[c] / v);
    expect(Math.abs(mean(factors.map((f) => Number(f === 0))) - 0.25)).toBeLessThan(0.04); // 4 standard deviations
    x.forEach((v, i) => {
      const factor = factors[i % channels] === 0 ? 0 : 1 / 0.75;
      if (Math.abs(y[i] - v * factor) > 1e-6 || Math.abs(gradient[i] - upstream[i] * factor) > 1e-6)
        expect([y[i], gradient[i]], `element ${i}`).toEqual([v * factor, upstream[i] * factor]);
    });
  });
});

test("gaussianNoise adds noise of mean 0 and the standard deviation, and lets gradients through", () => {
  const { x, y, upstream, gradient } = run(gaussianNoise(0.3), [40_000]);
  const noise = y.map((v, i) => v - x[i]);
  expect(Math.abs(mean(noise))).toBeLessThan(4 * (0.3 / 200));
  expect(Math.abs(deviation(noise) / 0.3 - 1)).toBeLessThan(0.015);
  expect(gradient).toEqual(upstream);
});

test("gaussianDropout multiplies by noise of mean 1 and the deviation of a dropout, the gradient by the same", () => {
  const { x, y, upstream, gradient } = run(gaussianDropout(0.2), [40_000]);
  const noise = y.map((v, i) => v / x[i]);
  expect(Math.abs(mean(noise) - 1)).toBeLessThan(4 * (0.5 / 200));
  expect(Math.abs(deviation(noise) / 0.5 - 1)).toBeLessThan(0.015);
  gradient.forEach((v, i) => {
    if (Math.abs(v - noise[i] * upstream[i]) > 1e-5) expect(v, `element ${i}`).toBe(noise[i] * upstream[i]);
  });
});

test("every step draws anew, and the same step the same", () => {
  const [first, again, next] = [0, 0, 1].map((step) => run(gaussianNoise(1), [64], step).y);
  expect(again).toEqual(first);
  expect(next).not.toEqual(first);
});

test.each([
  ["a rate of 1", () => spatialDropout1d(1), "a rate in [0, 1), got 1"],
  ["a rate that is no number", () => gaussianDropout("0.5" as never), 'a rate in [0, 1), got "0.5"'],
  ["a negative deviation", () => gaussianNoise(-1), "a standard deviation of at least 0, got -1"],
  ["a sequence for images", () => spatialDropout2d(0.5)(input([8, 3])), "an image [height, width, channels]"],
])("%s: an error that says so", (_, make, message) => {
  expect(make).toThrow(message);
});
