// All ops of quantized models, and those that only files of TensorFlow Lite bring along.
import type { Op } from "../../graph/op.js";
import { carryOps } from "../carry.js";
import { lstmProjectedOps } from "../lstmp.js";
import { rowOps } from "../rows.js";
import { quantizedArithmeticOps } from "./arithmetic.js";
import { quantizedConvOps } from "./conv2d.js";
import { quantizedConvertOps } from "./convert.js";
import { quantizedDepthwiseOps } from "./depthwise.js";
import { hybridOps } from "./hybrid.js";
import { quantizedLstmOps } from "./lstm.js";
import { quantizedPoolOps } from "./pool.js";
import { quantizedSvdfOps } from "./svdf.js";
import { quantizedTransposedOps } from "./transposed.js";
import { quantizedWinogradOps } from "./winograd.js";

/** What `load(file, { layers })` of a bundle takes for the files of quantized models. */
export const int8Ops: readonly Readonly<Record<string, Op>>[] = [
  carryOps,
  lstmProjectedOps,
  quantizedArithmeticOps,
  quantizedConvOps,
  quantizedConvertOps,
  quantizedDepthwiseOps,
  hybridOps,
  quantizedLstmOps,
  quantizedPoolOps,
  quantizedSvdfOps,
  quantizedTransposedOps,
  quantizedWinogradOps,
  rowOps,
];
