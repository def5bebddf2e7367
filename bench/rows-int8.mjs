// What is measured of int8, op by op, as rows.mjs has it for floats: QLinearMatMul and QLinearConv at ONNX Runtime Web, FULLY_CONNECTED,
// CONV_2D and DEPTHWISE_CONV_2D at LiteRT.js. Activations have a zero point, weights a scale for all of them, results fill the range.
// Integers are the same everywhere, so results are compared exactly.
import { conv2d, matmul } from "./rows.mjs";

/** What integers stand for, before and after; scales are powers of two, so that no one's factor is rounded. */
export const INPUT = { scale: 2 ** -5, zeroPoint: -3 };
export const OUTPUT = { zeroPoint: 7 };
export const WEIGHT_SCALE = 2 ** -7;

/** A scale with which sums of so many terms, uniform in both ranges, fill the range of a result. */
export function outputScale({ op, weights: [shape] }) {
  const terms = shape.slice(0, op === "depthwise" ? 2 : -1).reduce((a, b) => a * b, 1);
  const spread = 2 ** Math.round(Math.log2((Math.sqrt(terms) * 74 * 74) / 50)); // 74: the deviation of numbers between -128 and 127
  return INPUT.scale * WEIGHT_SCALE * spread;
}

const GOOD = { "ONNX Runtime Web": 0.87 }; // 1.15 times as fast
const constant = true;

export const rows = [
  ...[128, 256, 512].map((n) => matmul(`int8 gemm ${n}`, [n, n, n], { constant, goal: GOOD })),
  matmul("int8 gemm odd 97x113x131", [97, 113, 131], { constant, goal: GOOD }),
  matmul("int8 matrix-vector 1024", [1, 1024, 1024], { constant, goal: GOOD }),
  conv2d("int8 conv 3x3, 56x56 64>64", { side: 56, c: 64, n: 64, k: 3, goal: GOOD }),
  conv2d("int8 conv 3x3, 28x28 128>128", { side: 28, c: 128, n: 128, k: 3, goal: GOOD }),
  conv2d("int8 conv 3x3, 14x14 256>256", { side: 14, c: 256, n: 256, k: 3, goal: GOOD }),
  conv2d("int8 conv 3x3 stride 2, 56x56 64>128", { side: 56, c: 64, n: 128, k: 3, strides: 2, goal: GOOD }),
  conv2d("int8 conv 3x3 stride 2, 96x96 3>16", { side: 96, c: 3, n: 16, k: 3, strides: 2, goal: GOOD }),
  conv2d("int8 conv 1x1, 56x56 64>128", { side: 56, c: 64, n: 128, k: 1, goal: GOOD }),
  conv2d("int8 conv 1x1, 14x14 384>64", { side: 14, c: 384, n: 64, k: 1, goal: GOOD }),
  conv2d("int8 depthwise 3x3, 56x56x64", { side: 56, c: 64, k: 3, goal: GOOD }),
  conv2d("int8 depthwise 3x3 stride 2, 56x56x144", { side: 56, c: 144, k: 3, strides: 2, goal: GOOD }),
].map((row) => ({ ...row, int8: true }));
