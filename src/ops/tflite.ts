// Ops that files of TensorFlow Lite need beside those of other models: the table that loading reads, and nothing else.
import type { Op } from "../graph/op.js";
import { elementaryOps } from "./elementary.js";
import { integerOps } from "./integer.js";
import { interpolateOps } from "./interpolate.js";
import { orderOps } from "./order.js";
import { fixedPointOps } from "./quantized/fixedpoint.js";
import { int8Ops } from "./quantized/table.js";

/** What `load(file, { layers })` of a bundle takes for the files of models that came from TensorFlow Lite: those of int8 too. */
export const tfliteOps: readonly Readonly<Record<string, Op>>[] = /* @__PURE__ */ int8Ops.concat(
  elementaryOps,
  fixedPointOps,
  integerOps,
  interpolateOps,
  orderOps,
);
