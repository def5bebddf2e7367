// Ops without weights that work on int8: which int8 op does each, and what the integers of its result stand for. Products and sums, which
// take biases and clamps with them, are in plan.ts; functions of one number in functions.ts.
import type { Quantization } from "../graph/attrs.js";
import type { Op } from "../graph/op.js";
import { apply, make, type Node, type Value } from "../graph/value.js";
import { activationOps } from "../ops/activation.js";
import { broadcastOps } from "../ops/broadcast.js";
import { concatOps } from "../ops/concat.js";
import { extremumOps } from "../ops/extremum.js";
import { gatherOps } from "../ops/gather.js";
import { constant, constantOp } from "../ops/leaf.js";
import { padOps } from "../ops/pad.js";
import { poolOps } from "../ops/pool.js";
import { quantizedSoftmax, requantize } from "../ops/quantized/convert.js";
import { quantizedAvgPool2d, quantizedMaxPool2d, quantizedMean } from "../ops/quantized/pool.js";
import { product } from "../ops/quantized/quantization.js";
import { reduceOps } from "../ops/reduce.js";
import { resizeOps } from "../ops/resize.js";
import { reshape } from "../ops/shape.js";
import { sliceOps } from "../ops/slice.js";
import { tileOps } from "../ops/tile.js";
import { transposeOps } from "../ops/transpose.js";
import type { Padding, Pair } from "../ops/window.js";
import { sizeOf } from "../shape.js";
import { integerOf } from "./integers.js";

/** A value as int8, and what its integers stand for. */
export interface Int {
  readonly value: Value;
  readonly q: Quantization;
}

export interface Rule {
  /** Whether the int8 op does this node; by default it does all. */
  fits?(node: Node): boolean;
  /** How many inputs, from the first on, are int8; default 1. The others depend on weights alone and stay as they are. */
  readonly ints?: (node: Node) => number;
  /** What the integers of the result stand for: those of the input, or known ones; by default the result has a range of its own. */
  readonly integers?: "input" | Quantization;
  /** Not worth its rounding where only floats are made of it. */
  readonly lazy?: boolean;
  /** @param others inputs that stay as they are */
  make(node: Node, xs: readonly Int[], q: Quantization, others: readonly Value[]): Value | readonly Value[];
}

interface Windows {
  readonly size: Pair;
  readonly strides: Pair;
  readonly padding: Padding;
}

/** What moves numbers and computes none does so with int8. */
const move: Rule = {
  integers: "input",
  make: ({ op, attrs }, [x], _q, others) => make(op, [x.value, ...others], attrs).outputs,
};

const pool = (f: typeof quantizedMaxPool2d): Rule => ({
  integers: "input",
  fits: ({ attrs }) => Object.keys(attrs).every((key) => ["size", "strides", "padding"].includes(key)),
  make({ attrs }, [{ value, q }]) {
    const { size, strides, padding } = attrs as unknown as Windows;
    return f(value, size, { strides, padding, quantization: q });
  },
});

const axesOf = ({ attrs }: Node): readonly number[] => attrs.axes as readonly number[];

/** A sum is a mean of numbers `count` times as large. */
const average = (times: (node: Node) => number): Rule => ({
  fits: (node) => !axesOf(node).includes(0) && sizeOf(axesOf(node).map((axis) => node.inputs[0].shape[axis])) > 0,
  make(node, [{ value, q: input }], quantization) {
    const scale = product(input.scale, times(node));
    const { zeroPoint } = input;
    const options = { axes: axesOf(node), keepDims: Boolean(node.attrs.keepDims) };
    return quantizedMean(value, { ...options, input: { scale, zeroPoint }, quantization });
  },
});

export const probabilities: Quantization = { scale: 1 / 256, zeroPoint: -128 };

const rules = new Map<Op, Rule>([
  [transposeOps.transpose, move],
  [sliceOps.stridedSlice, move],
  [broadcastOps.broadcastTo, move],
  [tileOps.tile, move],
  [tileOps.repeat, move],
  [gatherOps.gather, move],
  [concatOps.split, move],
  [resizeOps.resize, { ...move, fits: ({ attrs }) => attrs.interpolation === "nearest" }],
  [poolOps.maxPool2d, pool(quantizedMaxPool2d)],
  [poolOps.avgPool2d, pool(quantizedAvgPool2d)],
  [reduceOps.mean, average(() => 1)],
  [reduceOps.sum, average((node) => sizeOf(axesOf(node).map((axis) => node.inputs[0].shape[axis])))],
  [
    extremumOps.max,
    {
      integers: "input",
      fits: (node) => node.inputs[0].shape.length === 4 && `${axesOf(node)}` === "1,2",
      make({ inputs: [x], outputs: [y] }, [{ value, q }]) {
        const size = [x.shape[1], x.shape[2]] as const;
        return reshape(quantizedMaxPool2d(value, size, { quantization: q }), y.shape);
      },
    },
  ],
  [
    padOps.pad,
    {
      integers: "input",
      fits: ({ inputs: [, filling] }) => filling.node.op === constantOp,
      make({ inputs: [, { node }], attrs }, [{ value, q }]) {
        const zero = integerOf(Number(node.data?.data[0]), q);
        return apply(padOps.pad, [value, constant({ data: Int8Array.of(zero), shape: [], dtype: "int8" })], attrs);
      },
    },
  ],
  [
    concatOps.concat,
    {
      ints: ({ inputs }) => inputs.length,
      make: ({ attrs }, xs, q) =>
        apply(
          concatOps.concat,
          xs.map((x) => sameIntegers(x, q)),
          attrs,
        ),
    },
  ],
  [
    activationOps.softmax,
    {
      integers: probabilities,
      lazy: true,
      make: (_node, [{ value, q: input }], quantization) => quantizedSoftmax(value, { input, quantization }),
    },
  ],
]);

/** The rule for a node, where there is one. */
export function ruleOf(node: Node): Rule | undefined {
  const rule = node.op.view ? move : rules.get(node.op);
  return rule === undefined || (rule.fits && !rule.fits(node)) ? undefined : rule;
}

/** x with the integers of q. */
export function sameIntegers({ value, q: input }: Int, q: Quantization): Value {
  return input.scale === q.scale && input.zeroPoint === q.zeroPoint
    ? value
    : requantize(value, { input, quantization: q });
}
