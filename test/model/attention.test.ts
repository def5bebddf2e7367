// Attention as part of models: what is refused, what masks do, and that its dropout belongs to training alone.
import { describe, expect, test } from "vitest";
import * as lw from "../../src/index.js";
import { build, input, multiHeadAttention, type Tensor, tensor, transformerBlock } from "../../src/index.js";
import { trainer } from "../../src/train/index.js";

const x = input([10, 8]);
const attention = multiHeadAttention(2, 4);
const bools = (...shape: number[]) => input(shape, { dtype: "bool" });

describe("what does not fit is refused", () => {
  const cases: [string, () => unknown, string][] = [
    [
      "a sequence longer than the positions",
      () => lw.positionEmbedding(8, { name: "where" })(x),
      'positionEmbedding "where": expected a sequence [steps, features] of at most 8 steps, as many as there are positions, got [10, 8]',
    ],
    [
      "a mask of another length",
      () => attention(x, x, x, { attentionMask: bools(10, 9) }),
      "multiHeadAttention: expected a mask [10], [10, 10] or [2, 10, 10] for each sample, got [10, 9]",
    ],
    [
      "a mask of too many axes",
      () => attention(x, x, x, { attentionMask: bools(2, 10, 10, 1) }),
      "expected a mask [10], [10, 10] or [2, 10, 10] for each sample",
    ],
    [
      "a sequence of no steps",
      () => attention(input([0, 8])),
      "expected a query [steps, features] of at least one step, got [0, 8]",
    ],
    [
      "values of no steps",
      () => attention(x, input([0, 8])),
      "expected a value [steps, features] of at least one step, got [0, 8]",
    ],
    [
      "a picture",
      () => attention(input([4, 4, 8])),
      "expected a query [steps, features] of at least one step, got [4, 4, 8]",
    ],
    ["more keys than values", () => attention(x, input([3, 8]), input([4, 8])), "as many keys as values"],
    [
      "features of other sizes than at first",
      () => attention(input([10, 6])),
      "expected an input that fits the shared",
    ],
    [
      "heads that cannot be shared",
      () => lw.groupQueryAttention(4, 6, 4),
      "groupQueryAttention: expected numKeyValueHeads to be a divisor of the 6 heads of queries, got 4",
    ],
    ["a rate of 1", () => multiHeadAttention(2, 4, { dropout: 1 }), "expected dropout in [0, 1), got 1"],
    [
      "features that heads do not share",
      () => transformerBlock({ numHeads: 3, intermediateDim: 4 })(x),
      "expected keyDim, or features that 3 heads share, got 8",
    ],
    ["an option that there is not", () => attention(x, x, x, { causal: true } as object), 'got "causal"'],
    ["an odd number of features to turn", () => lw.rotaryEmbedding()(input([4, 5])), "an even number of features"],
    ["a wavelength of 0", () => lw.rotaryEmbedding({ maxWavelength: 0 }), "maxWavelength to be a positive number"],
  ];
  test.each(cases)("%s", (_, call, told) => {
    attention(x);
    expect(call).toThrow(told);
  });
});

test("the result of self-attention has the mask of its input, and steps that are masked change nothing for others", async () => {
  const tokens = input([6], { dtype: "int32" });
  const embedded = lw.embedding(9, 8, { maskZero: true })(tokens);
  const y = transformerBlock({ numHeads: 2, intermediateDim: 8 })(embedded);
  expect(lw.maskOf(y)).toBe(lw.maskOf(embedded));
  const model = await build(tokens, y);
  const result = (...ids: number[]) => (model.predict(tensor(Int32Array.from(ids), [1, ids.length])) as Tensor).data;
  const short = await build(input([3], { dtype: "int32" }), (ids) =>
    transformerBlock({ numHeads: 2, intermediateDim: 8 })(lw.embedding(9, 8, { maskZero: true })(ids)),
  );
  short.setWeights(model.weights());
  const alone = (short.predict(tensor(Int32Array.of(4, 2, 7), [1, 3])) as Tensor).data;
  expect(result(4, 2, 7, 0, 0, 0).slice(0, 24)).toEqual(alone);
  expect(result(4, 2, 7, 1, 0, 0).slice(0, 24)).not.toEqual(alone);
});

test("dropout acts while training and leaves predictions alone", async () => {
  const model = await build(x, multiHeadAttention(2, 4, { dropout: 0.5 })(x));
  const plain = await build(x, multiHeadAttention(2, 4)(x));
  plain.setWeights(model.weights());
  const batch = {
    x: tensor(
      Float32Array.from({ length: 160 }, (_, i) => Math.sin(i)),
      [2, 10, 8],
    ),
  };
  expect(model.predict(batch.x)).toEqual(plain.predict(batch.x));
  const y = tensor(new Float32Array(160), [2, 10, 8]);
  const options = { optimizer: "sgd", loss: "meanSquaredError" } as const;
  const first = trainer(model, options).step({ ...batch, y }).loss;
  expect(first).not.toBe(trainer(plain, options).step({ ...batch, y }).loss);
  expect(Number.isFinite(first)).toBe(true);
});

test("a saved transformer loads with the same bits", async () => {
  const make = transformerBlock({ numHeads: 2, intermediateDim: 16, dropout: 0.1, useCausalMask: true });
  const rotated = lw.rotaryEmbedding()(x);
  const model = await build(x, make(rotated));
  const again = await lw.load(lw.save(model));
  const data = Float32Array.from({ length: 80 }, (_, i) => Math.cos(i));
  expect(again.predict(data)).toEqual(model.predict(data));
});
