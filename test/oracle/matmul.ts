// Matrix products as their definition says, in float64; batches broadcast.
import { broadcast } from "../../src/shape.js";
import { type Array64, fill } from "./array.js";

/** One matrix of a batch of them. */
function matrixAt({ shape, data }: Array64, lead: readonly number[]): Float64Array {
  const size = shape[shape.length - 2] * shape[shape.length - 1];
  const own = lead.slice(lead.length - shape.length + 2);
  return data.subarray(size * own.reduce((flat, i, axis) => flat * shape[axis] + (shape[axis] === 1 ? 0 : i), 0));
}

export const matmul =
  (transposeA: boolean, transposeB: boolean) =>
  (a: Array64, b: Array64): Array64 => {
    const [m, k] = transposeA ? a.shape.slice(-2).reverse() : a.shape.slice(-2);
    const n = transposeB ? b.shape[b.shape.length - 2] : b.shape[b.shape.length - 1];
    const batch = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2), "oracle");
    return fill([...batch, m, n], (...index) => {
      const [lead, [r, c]] = [index.slice(0, -2), index.slice(-2)];
      const [x, y] = [matrixAt(a, lead), matrixAt(b, lead)];
      let sum = 0;
      for (let j = 0; j < k; j++)
        sum += (transposeA ? x[j * m + r] : x[r * k + j]) * (transposeB ? y[c * k + j] : y[j * n + c]);
      return sum;
    });
  };
