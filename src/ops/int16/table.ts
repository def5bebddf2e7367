// All ops with activations of 16 bits.
import type { Op } from "../../graph/op.js";
import { int16ArithmeticOps } from "./arithmetic.js";
import { int16ConvOps } from "./conv2d.js";
import { int16ConvertOps } from "./convert.js";
import { int16DepthwiseOps } from "./depthwise.js";
import { int16FunctionOps } from "./function.js";
import { int16PoolOps } from "./pool.js";
import { int16TransposedOps } from "./transposed.js";

/** What `load(file, { layers })` of a bundle takes for the files of models with activations of 16 bits. */
export const int16Ops: readonly Readonly<Record<string, Op>>[] = [
  int16ArithmeticOps,
  int16ConvOps,
  int16ConvertOps,
  int16DepthwiseOps,
  int16FunctionOps,
  int16PoolOps,
  int16TransposedOps,
];
