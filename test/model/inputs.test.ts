// Inputs without a batch, and numbers of two bytes, which only move here: quantized ops compute with them.
import { describe, expect, test } from "vitest";
import {
  build,
  concat,
  gather,
  input,
  load,
  pad,
  save,
  stridedSlice,
  type Tensor,
  tensor,
  transpose,
} from "../../src/index.js";
import { reshape } from "../../src/ops/shape.js";

describe("an input without a batch", () => {
  const make = async () => {
    const [x, indices] = [input([4], { name: "x" }), input([3], { name: "order", dtype: "int32", batched: false })];
    return build([x, indices], gather(x, indices, 1));
  };
  const x = tensor([
    [0, 1, 2, 3],
    [4, 5, 6, 7],
  ]);
  const order = tensor([3, 0, 2], [3], "int32");

  test("serves every sample, also after save and load", async () => {
    const model = await make();
    const copy = await load(save(model));
    for (const each of [model, copy]) {
      expect(each.inputs[1]).toEqual({ name: "order", shape: [3], dtype: "int32", batched: false });
      for (const feed of [order, order.data]) {
        const y = each.predict([x, feed]) as Tensor;
        expect([y.shape, [...y.data]]).toEqual([
          [2, 3],
          [3, 0, 2, 7, 4, 6],
        ]);
      }
    }
  });

  test("wants all of its shape", async () => {
    const model = await make();
    const wrong = [tensor([[3, 0, 2]], [1, 3], "int32"), Int32Array.of(3, 0), Int32Array.of(3, 0, 2, 1, 1, 1)];
    for (const feed of wrong) expect(() => model.predict([x, feed])).toThrow('predict "order": expected [3], got [');
  });
});

test("int16 moves: pad, stridedSlice, transpose, concat, gather, reshape", async () => {
  const x = input([3, 5], { dtype: "int16" });
  const padded = pad(x, [0, 1, [0, 2]], { value: -7 });
  const turned = transpose(stridedSlice(padded, [0, 0, 6], [null, null, null], [1, 1, -2]), [0, 2, 1]);
  const rows = gather(x, input([2], { dtype: "int32", batched: false }), 2);
  const outputs = [turned, concat([x, x], 2), reshape(rows, [-1, 6])];
  const model = await build([x, rows.node.inputs[1]], outputs);
  const data = Int16Array.from({ length: 30 }, (_, i) => (i - 15) * 2111);
  const at = (b: number, i: number, j: number) => (i < 0 || i > 2 || j > 4 ? -7 : data[(b * 3 + i) * 5 + j]);
  const [a, b, c] = model.predict([tensor(data, [2, 3, 5]), Int32Array.of(4, 1)]) as Tensor[];
  const each = (shape: readonly number[], f: (...i: number[]) => number): number[] =>
    shape.reduceRight<(...i: number[]) => number[]>(
      (inner, d) =>
        (...i) =>
          Array.from({ length: d }, (_, k) => inner(...i, k)).flat(),
      (...i) => [f(...i)],
    )();
  expect([a.dtype, a.shape]).toEqual(["int16", [2, 4, 5]]);
  expect([...a.data]).toEqual(each([2, 4, 5], (n, j, i) => at(n, i - 1, 6 - 2 * j)));
  expect([...b.data]).toEqual(each([2, 3, 10], (n, i, j) => at(n, i, j % 5)));
  expect([...c.data]).toEqual(each([2, 3, 2], (n, i, j) => at(n, i, [4, 1][j])));
});
