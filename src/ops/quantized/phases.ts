// Transposed convolution by convolutions: pixels of the result whose place leaves the same remainder by the strides see the same part of
// the filter, so each such set is a convolution with stride 1 of the filter's part, turned round. Sums of integers do not depend on their
// order, so this is any transposed convolution of integers.
import { ShapeError } from "../../errors.js";
import type { Spec, Value } from "../../graph/value.js";
import { show } from "../../shape.js";
import { concat } from "../concat.js";
import { padding as padded } from "../pad.js";
import { reshape } from "../shape.js";
import { stridedSlice } from "../slice.js";
import { axis, type Padding, type Pair } from "../window.js";

export interface Transposed {
  readonly strides: Pair;
  /** Of the convolution that goes back, from the result to x: it is what is cut off the full result. */
  readonly padding: Padding;
  /** Height and width of the result. */
  readonly size: Pair;
}

/** @throws {ShapeError} unless the convolution from a result of that size gives x at least */
export function transposedShape(op: string, x: Spec, kernel: Spec, { size, strides, padding }: Transposed): number[] {
  sides(kernel.shape, { size, strides, padding }).forEach(({ out }, i) => {
    if (out >= x.shape[i + 1]) return;
    const expected = `an image of at most ${out} along axis ${i + 1} for a result of ${show(size)}`;
    throw new ShapeError({ op, expected, actual: show(x.shape.slice(1)) });
  });
  return [x.shape[0], ...size, kernel.shape[3]];
}

const sides = ([kh, kw]: readonly number[], { size, strides, padding }: Transposed) =>
  [kh, kw].map((k, i) => axis(size[i], k, strides[i], 1, typeof padding === "string" ? padding : padding[i]));

/**
 * @param kernel [kh, kw, c, n]
 * @param convolve x convolved with a part of the kernel, stride 1, after it was padded
 */
export function byPhases(
  x: Value,
  kernel: Value,
  attrs: Transposed & { kernelZero?: number },
  convolve: (x: Value, part: Value, padding: readonly [Pair, Pair]) => Value,
): Value {
  const { size, strides } = attrs;
  const before = sides(kernel.shape, attrs).map((side) => side.before);
  const [batch, n] = [x.shape[0], kernel.shape[3]];
  // Every set has a part of the filter, if one of zeros, and as many pixels; what is too much is cut off.
  const short = strides.map((stride, i) => Math.max(0, stride - kernel.shape[i]));
  const filter = padded(
    kernel,
    { low: [0, 0, 0, 0], high: [...short, 0, 0], interior: [0, 0, 0, 0] },
    attrs.kernelZero,
  );
  const [h, w] = strides.map((stride, i) => Math.ceil(size[i] / stride));
  const lines = Array.from({ length: strides[0] }, (_, p) => {
    const parts = Array.from({ length: strides[1] }, (_, q) => {
      const first = [p, q].map((place, i) => (place + before[i]) % strides[i]);
      const part = stridedSlice(filter, first, [null, null], [...strides]);
      const turned = stridedSlice(part, [], [], [-1, -1]);
      const [rows, cols] = [h, w].map((count, i): [Pair, Pair] => {
        const low = part.shape[i] - 1 - Math.floor(([p, q][i] + before[i]) / strides[i]);
        const high = count - 1 + part.shape[i] - 1 - low - (x.shape[i + 1] - 1);
        return [
          [Math.max(0, low), Math.max(0, high)],
          [Math.max(0, -low), Math.max(0, -high)],
        ];
      });
      // What no pixel of the set sees is left out.
      const seen = [rows, cols].some(([, cut]) => cut[0] + cut[1] > 0)
        ? stridedSlice(x, [0, rows[1][0], cols[1][0]], [null, x.shape[1] - rows[1][1], x.shape[2] - cols[1][1]])
        : x;
      return convolve(seen, turned, [rows[0], cols[0]]);
    });
    return reshape(parts.length > 1 ? concat(parts, 3) : parts[0], [batch, h, w * strides[1] * n]);
  });
  const all = reshape(lines.length > 1 ? concat(lines, 2) : lines[0], [batch, h * strides[0], w * strides[1], n]);
  const exact = h * strides[0] === size[0] && w * strides[1] === size[1];
  return exact ? all : stridedSlice(all, [0, 0, 0], [null, ...size]);
}
