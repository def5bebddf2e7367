// Matrix products as their definition says, in float64; batches broadcast.
import { broadcast } from "../../src/shape.js";
import { type Array64, at, fill } from "./array.js";

export const matmul =
  (transposeA: boolean, transposeB: boolean) =>
  (a: Array64, b: Array64): Array64 => {
    const [m, k] = transposeA ? a.shape.slice(-2).reverse() : a.shape.slice(-2);
    const n = transposeB ? b.shape[b.shape.length - 2] : b.shape[b.shape.length - 1];
    const batch = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2), "oracle");
    return fill([...batch, m, n], (...index) => {
      const [lead, [r, c]] = [index.slice(0, -2), index.slice(-2)];
      let sum = 0;
      for (let j = 0; j < k; j++) {
        const left = transposeA ? at(a, ...lead, j, r) : at(a, ...lead, r, j);
        sum += left * (transposeB ? at(b, ...lead, c, j) : at(b, ...lead, j, c));
      }
      return sum;
    });
  };
