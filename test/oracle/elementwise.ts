// Elementwise functions as their definitions say, in float64.
import { type Array64, fill } from "./array.js";

/** The error function by its series, and by the continued fraction of its complement where that is small. */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (a < 2.5) {
    let [term, sum] = [x, x];
    for (let n = 1; n < 120; n++) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let n = 80; n > 0; n--) fraction = n / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction));
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => Math.log1p(Math.exp(x));
const elu = (x: number, alpha: number) => (x > 0 ? x : alpha * Math.expm1(x));
const clip = (x: number, low: number, high: number) => Math.min(Math.max(x, low), high);

export const functions: Record<string, (x: number) => number> = {
  abs: Math.abs,
  elu: (x) => elu(x, 1),
  erf,
  exp: Math.exp,
  floor: Math.floor,
  gelu: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  geluTanh: (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  hardSigmoid: (x) => clip(x / 6 + 0.5, 0, 1),
  hardSilu: (x) => x * clip(x / 6 + 0.5, 0, 1),
  leakyRelu: (x) => (x > 0 ? x : 0.2 * x),
  log: Math.log,
  log1p: Math.log1p,
  mish: (x) => x * Math.tanh(softplus(x)),
  neg: (x) => -x,
  relu6: (x) => clip(x, 0, 6),
  rsqrt: (x) => 1 / Math.sqrt(x),
  selu: (x) => 1.0507009873554805 * elu(x, 1.6732632423543772),
  sigmoid,
  sign: Math.sign,
  silu: (x) => x * sigmoid(x),
  softplus,
  softsign: (x) => x / (1 + Math.abs(x)),
  sqrt: Math.sqrt,
  square: (x) => x * x,
  tanh: Math.tanh,
};

export const map =
  (f: (x: number) => number) =>
  ({ shape, data }: Array64): Array64 => ({ shape, data: data.map(f) });

export const logSoftmax = (x: Array64): Array64 => {
  const n = x.shape[x.shape.length - 1];
  let i = 0;
  return fill(x.shape, () => {
    const start = i - (i % n);
    const row = x.data.subarray(start, start + n);
    const largest = Math.max(...row);
    return x.data[i++] - largest - Math.log(row.reduce((sum, v) => sum + Math.exp(v - largest), 0));
  });
};
