import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { normalizer, standardize, toCategorical } from "../../src/data/index.js";
import { tensor } from "../../src/index.js";

const matrix = fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 6 })).chain(([rows, columns]) =>
  fc
    .array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 }), {
      minLength: rows * columns,
      maxLength: rows * columns,
    })
    .map((list) => tensor(new Float32Array(list), [rows, columns])),
);

describe("normalizer and standardize", () => {
  test("bring every column to mean 0 and variance 1, and a constant one to 0", () => {
    fc.assert(
      fc.property(matrix, (x) => {
        const by = normalizer(x);
        const z = standardize(x, by);
        const [rows, columns] = x.shape;
        for (let c = 0; c < columns; c++) {
          const of = (data: ArrayLike<number>) => Array.from({ length: rows }, (_, r) => data[r * columns + c]);
          const before = of(x.data);
          const after = of(z.data);
          const constant = before.every((v) => v === before[0]);
          expect(by.variance[c] === 0).toBe(constant);
          if (constant) {
            expect(by.mean[c] === before[0]).toBe(true); // 0 is -0 here
            expect(after.every((v) => v === 0)).toBe(true);
          } else if (by.variance[c] > 1e-3) {
            const mean = after.reduce((a, b) => a + b, 0) / rows;
            expect(Math.abs(mean)).toBeLessThan(1e-4);
            expect(after.reduce((a, b) => a + (b - mean) ** 2, 0) / rows).toBeCloseTo(1, 3);
          }
        }
      }),
    );
  });

  test("survive JSON to the last bit", () => {
    fc.assert(
      fc.property(matrix, (x) => {
        const by = normalizer(x);
        expect(standardize(x, JSON.parse(JSON.stringify(by)))).toEqual(standardize(x, by));
      }),
    );
  });

  test("are exact for large numbers far from 0, where a sum of squares is not", () => {
    const by = normalizer(tensor(Int32Array.of(2 ** 30, 2 ** 30 + 2, 2 ** 30 + 4), [3, 1]));
    expect(by).toEqual({ mean: [2 ** 30 + 2], variance: [8 / 3] });
  });

  test("take the last axis as columns, and any dtype", () => {
    expect(normalizer(tensor(new Uint8Array([0, 255, 10, 255]), [1, 2, 1, 2]))).toEqual({
      mean: [5, 255],
      variance: [25, 0],
    });
    expect(standardize(tensor([[]], [1, 0]), { mean: [], variance: [] }).shape).toEqual([1, 0]);
  });

  const x = tensor([[1, 2]]);
  test.each([
    ["no rows", () => normalizer(tensor(new Float32Array(0), [0, 2])), "at least one row, got [0, 2]"],
    ["a scalar", () => normalizer(tensor(1)), "columns along a last axis"],
    [
      "NaN",
      () =>
        normalizer(
          tensor([
            [1, 2],
            [3, NaN],
          ]),
        ),
      "got NaN (row 1, column 1)",
    ],
    ["other columns", () => standardize(x, { mean: [0], variance: [1] }), "as many columns as were measured, 1"],
    ["a negative variance", () => standardize(x, { mean: [0, 0], variance: [1, -1] }), "got 0 and -1 (column 1)"],
    ["a mean of NaN", () => standardize(x, { mean: [NaN, 0], variance: [1, 1] }), "got NaN and 1 (column 0)"],
    ["nothing to apply", () => standardize(x, undefined as never), "{ mean, variance }"],
  ])("%s is refused", (_, wrong, message) => {
    expect(wrong).toThrow(message);
  });
});

describe("toCategorical", () => {
  test("has a single 1 in each row, at the class", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { maxLength: 30 }), (classes) => {
        const { shape, data } = toCategorical(classes, 10);
        expect(shape).toEqual([classes.length, 10]);
        classes.forEach((label, i) => {
          const row = [...data.subarray(i * 10, i * 10 + 10)];
          expect([row[label], row.reduce((a, b) => a + b)]).toEqual([1, 1]);
        });
      }),
    );
  });

  test("takes tensors of any shape, and as many classes as there are", () => {
    expect(
      toCategorical(
        tensor(
          [
            [0, 1],
            [2, 0],
          ],
          [2, 2],
          "int32",
        ),
      ).shape,
    ).toEqual([2, 2, 3]);
    expect(toCategorical(tensor([[1], [0]])).shape).toEqual([2, 2]); // as Keras: a last axis of 1 goes
    expect(toCategorical(Uint8Array.of(3))).toEqual(tensor([[0, 0, 0, 1]]));
    expect(toCategorical([]).shape).toEqual([0, 0]);
  });

  test.each([
    ["a class out of range", () => toCategorical([0, 3], 3), "whole numbers in [0, 2], got 3 (element 1)"],
    ["a negative class", () => toCategorical([-1], 3), "got -1 (element 0)"],
    ["a fraction", () => toCategorical([0.5], 3), "got 0.5 (element 0)"],
    ["NaN", () => toCategorical([NaN]), "numClasses"],
    ["more than memory holds", () => toCategorical([2 ** 31 - 1]), "less than 1073741824 numbers"],
    ["text", () => toCategorical("1" as never), "got string"],
  ])("%s is refused", (_, wrong, message) => {
    expect(wrong).toThrow(message);
  });
});
