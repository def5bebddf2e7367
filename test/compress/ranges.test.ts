// Ranges from streams of numbers, and what is done before and after them: equalisation and bias correction.
import { describe, expect, test } from "vitest";
import { equalized } from "../../src/compress/equalize.js";
import { Histogram } from "../../src/compress/histogram.js";
import { quantize } from "../../src/compress/index.js";
import { quantizationOf } from "../../src/compress/integers.js";
import { foldedOf } from "../../src/compress/plan.js";
import { observers, type RangeMethod } from "../../src/compress/ranges.js";
import { dataset } from "../../src/data/index.js";
import * as l from "../../src/index.js";
import { build, input, type Model, save, sequential, type Tensor, tensor } from "../../src/index.js";

/** Uniform in [-1, 1), from a small generator of our own. */
function uniform(n: number, seed = 1): Float32Array {
  let state = seed;
  return Float32Array.from({ length: n }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** Nearly normal, with variance 1: sums of twelve uniform numbers, each of variance 1/3, halved. */
const normal = (n: number, seed = 1): Float32Array => {
  const u = uniform(12 * n, seed);
  return Float32Array.from({ length: n }, (_, i) => u.subarray(12 * i, 12 * i + 12).reduce((a, b) => a + b, 0) / 2);
};

const seen = (method: RangeMethod, batches: readonly Float32Array[], percentile = 99) => {
  const observer = observers[method]("test", percentile);
  for (const batch of batches) observer.see(batch);
  return observer.range();
};

/** Mean squared error of numbers as int8 of a range. */
function squaredError(x: Float32Array, low: number, high: number): number {
  const { scale, zeroPoint } = quantizationOf({ low, high });
  return (
    x.reduce((sum, v) => {
      const i = Math.min(Math.max(Math.round(v / scale) + zeroPoint, -128), 127);
      return sum + ((i - zeroPoint) * scale - v) ** 2;
    }, 0) / x.length
  );
}

describe("ranges", () => {
  test("minMax and movingAverage", () => {
    const batches = [Float32Array.of(-1, 2), Float32Array.of(0, 4), new Float32Array(0), Float32Array.of(-3, 1)];
    expect(seen("minMax", batches)).toEqual({ low: -3, high: 4 });
    const { low, high } = seen("movingAverage", batches) as { low: number; high: number };
    expect(low).toBeCloseTo(0.9 * (0.9 * -1) + 0.1 * -3, 12);
    expect(high).toBeCloseTo(0.9 * (0.9 * 2 + 0.1 * 4) + 0.1, 12);
    expect(seen("minMax", [])).toBeUndefined();
  });

  test.each([50.5, 90, 99, 99.9, 100])("percentile %f leaves so many numbers outside, to a bin", (percentile) => {
    const numbers = normal(20000);
    const found = seen("percentile", [numbers.subarray(0, 5000), numbers.subarray(5000)], percentile);
    const sorted = [...numbers].sort((a, b) => a - b);
    const outside = Math.floor((1 - percentile / 100) * numbers.length);
    const bin = (2 * Math.max(-sorted[0], sorted[sorted.length - 1])) / 4096;
    expect(Math.abs((found?.low as number) - sorted[outside])).toBeLessThan(bin);
    expect(Math.abs((found?.high as number) - sorted[sorted.length - 1 - outside])).toBeLessThan(bin);
  });

  test("percentile of numbers of which many are 0", () => {
    const relu = uniform(10000).map((v) => Math.max(v, 0));
    expect(seen("percentile", [relu], 60)).toEqual({ low: 0, high: expect.closeTo(0.2, 1) });
    expect(seen("percentile", [new Float32Array(10)])).toEqual({ low: 0, high: 0 });
    expect(seen("percentile", [Float32Array.of(3, 3)])).toEqual({ low: 3, high: 3 });
  });

  test("mse cuts off long tails where that serves the others, and nothing of uniform numbers", () => {
    const numbers = normal(20000).map((v) => v ** 5);
    const { low, high } = seen("mse", [numbers]) as { low: number; high: number };
    const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
    expect(high).toBeLessThan(most);
    expect(squaredError(numbers, low, high)).toBeLessThan(squaredError(numbers, least, most));
    const flat = seen("mse", [uniform(20000)]) as { low: number; high: number };
    expect(flat.low).toBeLessThan(-0.97);
    expect(flat.high).toBeGreaterThan(0.97);
  });

  test("the clip that mse finds is hardly worse than the best of a fine search", () => {
    const numbers = normal(2000, 5).map((v) => v * v * v);
    const { low, high } = seen("mse", [numbers]) as { low: number; high: number };
    const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
    let best = Number.POSITIVE_INFINITY;
    for (let i = 1; i <= 50; i++)
      for (let j = 1; j <= 50; j++) best = Math.min(best, squaredError(numbers, (least * i) / 50, (most * j) / 50));
    expect(squaredError(numbers, low, high)).toBeLessThan(1.05 * best);
  });

  test("a histogram that has to widen is the one that was wide from the start", () => {
    const [small, large] = [uniform(3000).map((v) => v / 1000), uniform(3000, 2).map((v) => v * 300)];
    const ranges = [
      [small, large],
      [large, small],
    ].map((batches) => {
      const histogram = new Histogram();
      for (const batch of batches) histogram.add(batch, Math.min(...batch), Math.max(...batch));
      return [histogram.percentile(99), histogram.percentile(75), histogram.leastError()];
    });
    expect(ranges[0]).toEqual(ranges[1]);
  });

  test("a number that is not finite is refused by every method", () => {
    for (const method of Object.keys(observers) as RangeMethod[])
      for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY])
        expect(() => seen(method, [Float32Array.of(1, wrong)])).toThrow(/finite values in calibration, got/);
  });
});

const error = (expected: Tensor, actual: Tensor): number => {
  let [off, all] = [0, 0];
  expected.data.forEach((v, i) => {
    off += (v - actual.data[i]) ** 2;
    all += v ** 2;
  });
  return off / all;
};

/** A model whose channels differ by a thousand times between layers, as folded normalizations make them. */
async function uneven(): Promise<Model> {
  const model = await build(
    input([8, 8, 3]),
    sequential(
      l.conv2d(8, 3, { activation: "relu", name: "a" }),
      l.depthwiseConv2d(3, { padding: "same", activation: "relu", name: "b" }),
      l.maxPooling2d(2),
      l.conv2d(6, 1, { activation: "relu", name: "c" }),
      l.flatten(),
      l.dense(5, { name: "d" }),
    ),
    { seed: 4 },
  );
  const scale = (name: string, channel: (i: number) => number, power: (c: number) => number) => {
    const { data, shape } = model.weights()[name];
    model.setWeights({
      [name]: tensor(
        Float32Array.from(data, (v, i) => v * 4 ** power(channel(i))),
        [...shape],
      ),
    });
  };
  scale(
    "a/kernel",
    (i) => i % 8,
    (c) => (c % 5) - 2,
  );
  scale(
    "b/depthwise_kernel",
    (i) => i % 8,
    (c) => 2 - (c % 5),
  );
  scale(
    "c/kernel",
    (i) => i % 6,
    (c) => (c % 3) - 1,
  );
  scale(
    "d/kernel",
    (i) => Math.floor(i / 5) % 6,
    (c) => 1 - (c % 3),
  );
  return model;
}

describe("equalisation", () => {
  const x = tensor(uniform(40 * 192), [40, 8, 8, 3]);

  test("changes no bit of what floats compute, and makes channels alike", async () => {
    const model = await uneven();
    const equal = await equalized(model, foldedOf(model, "test"), "test");
    expect((equal.predict(x) as Tensor).data).toEqual((model.predict(x) as Tensor).data);
    const spread = (m: Model) => {
      const { data } = m.weights()["a/kernel"];
      const largest = new Float32Array(8);
      data.forEach((v, i) => {
        largest[i % 8] = Math.max(largest[i % 8], Math.abs(v));
      });
      return Math.max(...largest) / Math.min(...largest);
    };
    expect(spread(model)).toBeGreaterThan(100);
    expect(spread(equal)).toBeLessThan(10);
    // The model itself is as it was.
    expect(save(await uneven())).toEqual(save(model));
  });

  test("int8 of an uneven model loses less by it", async () => {
    const model = await uneven();
    const [plain, equal] = [
      await quantize(model, { calibration: x }),
      await quantize(model, { calibration: x, equalize: true }),
    ].map((small) => error(model.predict(x) as Tensor, small.predict(x) as Tensor));
    expect(equal).toBeLessThan(plain / 2);
    expect(Object.keys((await quantize(model, { calibration: x, equalize: true })).weights()).sort()).toEqual(
      Object.keys((await quantize(model, { calibration: x })).weights()).sort(),
    );
  });
});

test("bias correction takes the mean error of rounded weights back", async () => {
  const model = await build(input([64]), sequential(l.dense(16, { name: "a" }), l.dense(4, { name: "b" })), {
    seed: 2,
  });
  // One large weight in each channel, so that the others are rounded coarsely; inputs with a mean.
  const { data } = model.weights()["a/kernel"];
  const kernel = Float32Array.from(data, (v, i) => (i < 16 ? 20 : v + 0.04));
  model.setWeights({ "a/kernel": tensor(kernel, [64, 16]) });
  const x = tensor(
    uniform(200 * 64).map((v, i) => (i % 64 === 0 ? v / 50 : v + 1)),
    [200, 64],
  );
  const shift = async (biasCorrection: boolean) => {
    const small = await quantize(model, { calibration: x, biasCorrection });
    const [expected, actual] = [model.predict(x) as Tensor, small.predict(x) as Tensor];
    const means = [0, 1, 2, 3].map((c) =>
      [...expected.data].reduce((sum, v, i) => (i % 4 === c ? sum + v - actual.data[i] : sum), 0),
    );
    return Math.hypot(...means) / 200;
  };
  expect(await shift(true)).toBeLessThan((await shift(false)) / 4);
});

test("calibration that can be read once only is refused where it is read twice", async () => {
  const model = await build(input([4]), l.dense(3));
  const x = tensor(uniform(40), [10, 4]);
  async function* once() {
    yield { x };
  }
  await expect(quantize(model, { calibration: once(), biasCorrection: true })).rejects.toThrow("read twice");
  const data = dataset({ x }).batch(4);
  const [a, b] = [
    await quantize(model, { calibration: data, biasCorrection: true }),
    await quantize(model, { calibration: x, biasCorrection: true }),
  ];
  expect((a.predict(x) as Tensor).shape).toEqual((b.predict(x) as Tensor).shape);
});
