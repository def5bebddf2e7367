// Columns brought to mean 0 and variance 1, by numbers that were measured on one set and are applied to all.
import { rangeError, ShapeError, typeError } from "../errors.js";
import { show } from "../shape.js";
import { type Tensor, tensor } from "../tensor.js";

/** Mean and variance of each column, as Keras' `Normalization` holds them. Plain data: as JSON it is read back to the same bits. */
export interface Normalizer {
  readonly mean: readonly number[];
  readonly variance: readonly number[];
}

/**
 * Measures the columns of a tensor, the last axis, over all others, as Keras' `Normalization().adapt(x)`.
 * @param x [..., columns] of any dtype; at least one row
 * @returns mean and variance (over n, not n - 1) in float64, summed row after row: the same bits everywhere
 * @throws {RangeError} for numbers that are not finite, naming row and column, and when there are no rows
 * @example
 * const scale = normalizer(tensor([[1, 10], [3, 10]]));
 * scale; // {"mean": [2, 10], "variance": [1, 0]}
 */
export function normalizer(x: Tensor): Normalizer {
  const { data, shape } = x;
  const columns = columnsOf(x, "normalizer");
  const rows = columns === 0 ? 0 : data.length / columns;
  if (rows === 0) throw rangeError({ op: "normalizer", expected: "at least one row", actual: show(shape) });
  const at = data.findIndex((v) => !Number.isFinite(v));
  if (at >= 0) {
    const actual = `${data[at]} (row ${Math.floor(at / columns)}, column ${at % columns})`;
    throw rangeError({ op: "normalizer", expected: "finite numbers", actual });
  }
  const average = (column: number, of: (v: number) => number): number => {
    let sum = 0;
    for (let i = column; i < data.length; i += columns) sum += of(data[i]);
    return sum / rows;
  };
  // Two passes: no difference of large sums. A column that never changes has exactly its value as mean, and 0 as variance.
  const mean = Array.from({ length: columns }, (_, c) => average(c, (v) => v));
  const variance = mean.map((m, c) => average(c, (v) => (v - m) * (v - m)));
  return { mean, variance };
}

/**
 * Shifts and scales columns by measured numbers: (x - mean) / sqrt(variance).
 * @param x [..., columns]
 * @param by what `normalizer` measured, most often on the training set; a column of variance 0 is only shifted
 * @returns float32, of the same shape
 * @throws {ShapeError} when the numbers of columns differ, {RangeError} for a variance that is none
 * @example
 * const train = tensor([[1, 10], [3, 10]]);
 * const scale = normalizer(train);
 * [...standardize(train, scale).data]; // [-1, 0, 1, 0]
 * const stored = JSON.stringify(scale); // goes with the model's file
 * [...standardize(tensor([[5, 11]]), JSON.parse(stored)).data]; // [3, 1]
 */
export function standardize(x: Tensor, by: Normalizer): Tensor {
  const columns = columnsOf(x, "standardize");
  const { mean, variance } = by ?? {};
  if (!Array.isArray(mean) || !Array.isArray(variance)) {
    throw typeError({ op: "standardize", expected: "{ mean, variance } as normalizer gives", actual: typeof by });
  }
  if (mean.length !== columns || variance.length !== columns) {
    const expected = `as many columns as were measured, ${mean.length} (variances: ${variance.length})`;
    throw new ShapeError({ op: "standardize", expected, actual: show(x.shape) });
  }
  const wrong = mean.findIndex((m, c) => !(Number.isFinite(m) && Number.isFinite(variance[c]) && variance[c] >= 0));
  if (wrong >= 0) {
    const actual = `${mean[wrong]} and ${variance[wrong]} (column ${wrong})`;
    throw rangeError({ op: "standardize", expected: "finite means and variances of at least 0", actual });
  }
  const deviation = variance.map((v) => (v === 0 ? 1 : Math.sqrt(v)));
  const data = new Float32Array(x.data.length);
  for (let i = 0, c = 0; i < data.length; i++, c = c + 1 === columns ? 0 : c + 1) {
    data[i] = (x.data[i] - mean[c]) / deviation[c];
  }
  return tensor(data, x.shape);
}

function columnsOf({ shape }: Tensor, op: string): number {
  if (shape.length > 0) return shape[shape.length - 1];
  throw new ShapeError({ op, expected: "columns along a last axis", actual: "a scalar" });
}
