// What products of 8 and of 16 bits have in common: kernels that fit, how their elements follow one another, what goes into an op.
import { ShapeError } from "../../errors.js";
import type { Spec } from "../../graph/value.js";
import { show } from "../../shape.js";
import { wantRank } from "../check.js";
import { type Axis, axes, type Padding, type Pair } from "../window.js";

export interface Windows {
  readonly strides: Pair;
  readonly padding: Padding;
  readonly dilations: Pair;
  /** Default 1. */
  readonly groups?: number;
}

export const geometry = (op: string, x: Spec, size: Pair, { strides, padding, dilations }: Windows): [Axis, Axis] =>
  axes(op, x, size, strides, dilations, padding);

/** Of a convolution. @param most terms of a sum @throws {ShapeError} unless the kernel fits the image */
export function convShape(op: string, x: Spec, kernel: Spec, windows: Windows, most: number): number[] {
  wantRank(op, 4, "an image [height, width, channels]", x);
  const { groups = 1 } = windows;
  const [kh, kw, c, n] = kernel.shape;
  if (kernel.shape.length !== 4 || c * groups !== x.shape[3] || n % groups !== 0 || kh * kw * c > most) {
    const expected = `a kernel [height, width, ${x.shape[3]} / groups, n] of at most ${most} terms, in ${groups} groups`;
    throw new ShapeError({ op, expected, actual: show(kernel.shape) });
  }
  const [rows, cols] = geometry(op, x, [kh, kw], windows);
  return [x.shape[0], rows.out, cols.out, n];
}

/** Of a depthwise convolution, likewise. */
export function depthwiseShape(op: string, x: Spec, kernel: Spec, windows: Windows, most: number): number[] {
  wantRank(op, 4, "an image [height, width, channels]", x);
  const [kh, kw, c, m] = kernel.shape;
  if (kernel.shape.length !== 4 || c !== x.shape[3] || kh * kw > most) {
    const expected = `a kernel [height, width, ${x.shape[3]}, m] of at most ${most} terms`;
    throw new ShapeError({ op, expected, actual: show(kernel.shape) });
  }
  const [rows, cols] = geometry(op, x, [kh, kw], windows);
  return [x.shape[0], rows.out, cols.out, c * m];
}

/** Of a dense layer, likewise. */
export function denseShape(op: string, x: Spec, kernel: Spec, most: number): number[] {
  const [k, n] = kernel.shape;
  if (kernel.shape.length === 2 && x.shape.length >= 2 && x.shape.at(-1) === k && k <= most)
    return [...x.shape.slice(0, -1), n];
  const expected = `an input [..., k] for a kernel ${show(kernel.shape)}, k at most ${most}`;
  throw new ShapeError({ op, expected, actual: show(x.shape) });
}

/** How often and how many elements of a window lie side by side in an image. */
export function runsOf({ shape: [kh, kw, c] }: Spec, { groups = 1, dilations }: Windows) {
  const whole = groups === 1 && (dilations[1] === 1 || kw === 1);
  const [runs, run] = whole ? [kh, kw * c] : [kh * kw, c];
  return { runs, run, groups };
}

/** The inputs of a product, its bias where there is one. */
export const weights = <V extends Spec>(x: V, kernel: V, scale: V, bias: V | undefined): V[] =>
  bias ? [x, kernel, scale, bias] : [x, kernel, scale];
