// Every layer whose ops have rows of their own elsewhere: as a model at a batch of 3 against a float64 oracle, its gradients to input
// and weights against central differences of the oracle, its file, its row of the summary.
import { describe, expect, test } from "vitest";
import { apply } from "../../src/graph/value.js";
import {
  activation,
  add,
  batchNormalization,
  build,
  conv1d,
  conv2dTranspose,
  cropping1d,
  dot,
  embedding,
  globalAveragePooling1d,
  groupNormalization,
  input,
  load,
  type Model,
  maxPooling1d,
  rescaling,
  rmsNormalization,
  save,
  separableConv2d,
  sequential,
  subtract,
  sum,
  type Tensor,
  tensor,
  zeroPadding1d,
} from "../../src/index.js";
import { mul } from "../../src/ops/arithmetic.js";
import { convOps } from "../../src/ops/conv2d.js";
import { constant } from "../../src/ops/leaf.js";
import { gradients, trainer } from "../../src/train/index.js";
import { expectNear } from "../cases/near.js";
import { type Array64, numbers } from "../oracle/array.js";
import { type LayerRow, rows } from "./layer-rows.js";

const BATCH = 3;
const H = 1e-5;

const float = ({ shape, data }: Array64): Tensor => tensor(Float32Array.from(data), [...shape]);

async function prepared({ inputs, layer }: LayerRow) {
  const xs = inputs.map(({ shape, below }, i) => {
    const x = numbers([BATCH, ...shape], i + 2);
    return below === undefined ? x : { ...x, data: x.data.map((v) => Math.floor(((v + 1) / 2) * below)) };
  });
  const values = inputs.map(({ shape, below }, i) =>
    input([...shape], { name: `x${i}`, dtype: below === undefined ? "float32" : "int32" }),
  );
  const model = await build(values, layer(values));
  const weights = Object.entries(model.weights()).map(
    ([name, { shape }], i) => [name, numbers(shape, 30 + i)] as const,
  );
  model.setWeights(Object.fromEntries(weights.map(([name, w]) => [name, float(w)])));
  const feeds = xs.map((x, i) =>
    inputs[i].below === undefined ? float(x) : tensor(Int32Array.from(x.data), [...x.shape]),
  );
  return { model, xs, feeds, weights };
}

const predicted = (model: Model, feeds: Tensor[]): Tensor => model.predict(feeds) as Tensor;

describe.each(rows)("$name", (row) => {
  const { oracle, inputs, tolerance = 3e-6 } = row;

  test("is near its oracle, has its shape in the summary, and comes back from its file", async () => {
    const { model, xs, feeds, weights } = await prepared(row);
    const y = predicted(model, feeds);
    const expected = oracle(xs, ...weights.map(([, w]) => w));
    expect(y.shape).toEqual(expected.shape);
    expectNear(y.data, expected.data, tolerance);
    expect(model.summary()).toContain(`(None, ${expected.shape.slice(1).join(", ")})`);
    const copy = await load(save(model));
    expect(Object.keys(copy.weights())).toEqual(weights.map(([name]) => name));
    expect(weights.map(([name]) => name.replace(/^[^/]*\//, ""))).toEqual(row.weights ?? []);
    expect(predicted(copy, feeds).data).toEqual(y.data);
  });

  test("has the gradients of its oracle", async () => {
    const { model, xs, feeds, weights } = await prepared(row);
    const all = [...xs, ...weights.map(([, w]) => w)];
    const upstream = numbers([1, ...oracle(xs, ...weights.map(([, w]) => w)).shape.slice(1)], 71);
    const value = (arrays: readonly Array64[]) => {
      const y = oracle(arrays.slice(0, xs.length), ...arrays.slice(xs.length));
      return y.data.reduce((total, v, i) => total + v * upstream.data[i % upstream.data.length], 0);
    };
    const names = [...xs.map((_, i) => `x${i}`), ...weights.map(([name]) => name)];
    const wrt = names.filter((_, i) => inputs[i]?.below === undefined);
    const of = gradients(model, { of: ([y]) => sum(mul(y, constant(float(upstream)))), wrt });
    const actual = of(feeds);
    names.forEach((name, k) => {
      if (!wrt.includes(name)) return;
      if (row.flat?.some((weight) => name.endsWith(weight))) {
        expect(Math.max(...actual[name].data.map(Math.abs)), name).toBeLessThan(1e-5);
        return;
      }
      const slopes = Array.from(all[k].data, (v, i) => {
        const moved = (h: number) =>
          value(all.map((x, j) => (j === k ? { ...x, data: x.data.map((u, at) => (at === i ? v + h : u)) } : x)));
        return (moved(H) - moved(-H)) / (2 * H);
      });
      expectNear(actual[name].data, slopes, Math.max(tolerance, 5e-6));
    });
  });
});

test("bias and activation of a 1-D convolution are part of the product", async () => {
  const model = await build(input([20, 4]), conv1d(8, 3, { activation: "relu", padding: "same" }));
  const calls = model.plan(2).calls.filter(({ once }) => !once);
  expect(calls.map(({ kernel }) => kernel)).toEqual(["f32_pad2d", "f32_conv2d"]);
});

test("batch normalization after a transposed convolution goes into its weights", async () => {
  const product = () => conv2dTranspose(4, 3, { padding: "same", name: "t" });
  const layers = sequential(product(), batchNormalization({ name: "bn" }), activation("relu"));
  const model = await build(input([5, 5, 3]), layers);
  const weights = Object.entries(model.weights()).map(([name, { shape }], i) => [
    name,
    float(numbers(shape, i, 0.5, 2)),
  ]);
  model.setWeights(Object.fromEntries(weights));
  const calls = model.plan(1).calls.filter(({ once }) => !once);
  expect(calls.map(({ kernel }) => kernel)).toEqual(["f32_pad2d", "f32_conv2d"]);
  const plain = await build(input([5, 5, 3]), product());
  const { "t/kernel": kernel, "t/bias": bias } = model.weights();
  plain.setWeights({ "t/kernel": kernel, "t/bias": bias });
  const of = (name: string) => model.weights()[`bn/${name}`].data;
  const x = float(numbers([2, 5, 5, 3], 9));
  const expected = Array.from(predicted(plain, [x]).data, (y, i) => {
    const scale = of("gamma")[i % 4] / Math.sqrt(of("moving_variance")[i % 4] + 1e-3);
    return Math.max(0, (y - of("moving_mean")[i % 4]) * scale + of("beta")[i % 4]);
  });
  expectNear(predicted(model, [x]).data, expected, 5e-6);
});

test("a trained embedding changes only the rows that were read", async () => {
  const model = await build(
    input([3], { dtype: "int32" }),
    sequential(embedding(6, 2, { name: "e" }), globalAveragePooling1d()),
  );
  const before = Float32Array.from(model.weights()["e/embeddings"].data);
  const x = tensor(Int32Array.of(1, 4, 4, 1, 1, 4), [2, 3]);
  trainer(model, { optimizer: "sgd", loss: "mse" }).step({
    x,
    y: tensor([
      [1, 1],
      [2, 2],
    ]),
  });
  const after = model.weights()["e/embeddings"].data;
  const changed = [0, 1, 2, 3, 4, 5].filter((row) => after[2 * row] !== before[2 * row]);
  expect(changed).toEqual([1, 4]);
});

test.each([
  [
    "float32 for an embedding",
    () => embedding(5, 2)(input([3])),
    'an input of whole numbers, { dtype: "int32" }, got float32',
  ],
  [
    "a file whose transposed convolution does not go back to its input",
    () =>
      apply(convOps.conv2dTranspose, [input([5, 4, 2]), constant(tensor(new Float32Array(36), [3, 3, 2, 2]))], {
        strides: [2, 2],
        padding: "same",
        dilations: [1, 1],
        size: [8, 8],
      }),
    "conv2dTranspose: expected an image [4, 4, 2], got [5, 4, 2]",
  ],
  [
    "groups that do not divide channels to normalise",
    () => groupNormalization({ groups: 3 })(input([4, 4])),
    "channels in 3 equal groups, got 4",
  ],
  ["groups of 0", () => groupNormalization({ groups: 0 }), "groups to be a positive integer or -1, got 0"],
  ["a batch to normalise over", () => rmsNormalization({ axis: 0 })(input([3])), "but 0, the batch, got 0"],
  ["a scale that is no number", () => rescaling([1, Number.NaN]), "scale to be a number, or one for each channel"],
  [
    "three values to subtract",
    () => subtract([input([2]), input([2]), input([2])]),
    "subtract: expected a list of 2 Values, got 3",
  ],
  ["one value to add", () => add([input([2])]), "add: expected a list of at least 2 Values, got 1"],
  ["an option of add that there is not", () => add([input([2]), input([2])], { axis: 1 } as never), '"axis"'],
  [
    "sizes that differ along the axes of dot",
    () => dot([input([3]), input([4])]),
    "dot: expected one size along the axes, 3, got 4",
  ],
  ["the batch as an axis of dot", () => dot([input([3]), input([3])], { axes: 0 }), "but 0, the batch, got 0"],
  [
    "outputPadding as large as the stride",
    () => conv2dTranspose(4, 3, { strides: 2, outputPadding: 2 }),
    "outputPadding in [0, 2), less than the stride, got 2",
  ],
  [
    "padding that leaves nothing",
    () =>
      conv2dTranspose(4, 1, {
        padding: [
          [1, 0],
          [0, 0],
        ],
      })(input([1, 3, 2])),
    "padding that leaves pixels, got a result of [0, 3]",
  ],
  ["an image to conv1d", () => conv1d(4, 3)(input([8, 8, 3])), "a sequence [steps, channels], rank 3 with the batch"],
  [
    "causal pooling",
    () => maxPooling1d(2, { padding: "causal" as never }),
    'padding "valid", "same" or [before, after]',
  ],
  ["a padding of another form", () => conv1d(4, 3, { padding: [1] as never }), '"causal" or [before, after], got [1]'],
  [
    "two strides in one dimension",
    () => conv1d(4, 3, { strides: [1, 2] as never }),
    "strides to be a positive integer",
  ],
  ["a longer filter", () => conv1d(4, 5)(input([4, 3])), "an image of at least [1, 5], got [1, 4]"],
  [
    "groups that do not divide channels",
    () => conv1d(4, 3, { groups: 2 })(input([8, 3])),
    "channels in 2 equal groups",
  ],
  [
    "nothing left",
    () => cropping1d([3, 4], { name: "crop" })(input([7, 2])),
    'cropping1d "crop": expected a sequence of more than 7',
  ],
  ["a negative border", () => zeroPadding1d([-1, 0]), "padding as n or [before, after], n at least 0, got [-1,0]"],
  ["an unknown option", () => separableConv2d(4, 3, { depthMultipler: 2 } as never), '"depthMultipler"'],
])("%s: an error that says so", (_, make, message) => {
  expect(make).toThrow(message);
});
