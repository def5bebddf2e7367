// A server loads whatever file it is given, so nothing that a file may hold may be left out of its bundle; but for `ctc`, a loss that no
// model has for an output, and which would bring all kernels of training.
import { affineOps } from "../ops/affine.js";
import { attentionOps } from "../ops/attention.js";
import { carryOps } from "../ops/carry.js";
import { cellOps } from "../ops/cells.js";
import { int16Ops } from "../ops/int16/table.js";
import { lossOps } from "../ops/loss.js";
import { fakeQuantizeOps } from "../ops/quantized/fake.js";
import { recurrentDropoutOps } from "../ops/recurrent.js";
import { rotaryOps } from "../ops/rotary.js";
import { shapedOps } from "../ops/shaped.js";
import { sparseOps } from "../ops/sparse.js";
import { tfliteOps } from "../ops/tflite.js";

/**
 * Whatever a file may hold beside the common layers: `load(file, { layers: everyLayer })` takes every file, in a bundle that holds them all.
 * @example
 * const model = await load(save(await build(input([5, 4]), lstm(2))), { layers: everyLayer });
 */
export const everyLayer: readonly unknown[] = [
  affineOps,
  attentionOps,
  carryOps,
  cellOps,
  fakeQuantizeOps,
  int16Ops,
  lossOps,
  recurrentDropoutOps,
  rotaryOps,
  shapedOps,
  sparseOps,
  tfliteOps,
];
