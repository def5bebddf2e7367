// Every op by name: the table that files are read against.
import type { Op } from "../graph/op.js";
import { activationOps } from "./activation.js";
import { arithmeticOps } from "./arithmetic.js";
import { batchNormOps } from "./batchnorm.js";
import { broadcastOps } from "./broadcast.js";
import { castOps } from "./cast.js";
import { comparisonOps } from "./comparison.js";
import { concatOps } from "./concat.js";
import { convOps } from "./conv2d.js";
import { depthwiseOps } from "./depthwise.js";
import { extremumOps } from "./extremum.js";
import { gatherOps } from "./gather.js";
import { layerNormOps } from "./layernorm.js";
import { logicalOps } from "./logical.js";
import { lossOps } from "./loss.js";
import { maskOps } from "./mask.js";
import { matmulOps } from "./matmul.js";
import { padOps } from "./pad.js";
import { pad2dOps } from "./pad2d.js";
import { poolOps } from "./pool.js";
import { randomOps } from "./random.js";
import { reduceOps } from "./reduce.js";
import { regularizerOps } from "./regularizer.js";
import { resizeOps } from "./resize.js";
import { scanOps } from "./scan.js";
import { shapeOps } from "./shape.js";
import { sliceOps } from "./slice.js";
import { statisticsOps } from "./statistics.js";
import { tileOps } from "./tile.js";
import { transposeOps } from "./transpose.js";
import { slopedOps, unaryOps } from "./unary.js";
import { winogradOps } from "./winograd.js";

export const ops = {
  ...activationOps,
  ...arithmeticOps,
  ...batchNormOps,
  ...broadcastOps,
  ...castOps,
  ...comparisonOps,
  ...concatOps,
  ...convOps,
  ...depthwiseOps,
  ...extremumOps,
  ...gatherOps,
  ...layerNormOps,
  ...logicalOps,
  ...lossOps,
  ...maskOps,
  ...matmulOps,
  ...pad2dOps,
  ...padOps,
  ...poolOps,
  ...randomOps,
  ...reduceOps,
  ...regularizerOps,
  ...resizeOps,
  ...scanOps,
  ...shapeOps,
  ...sliceOps,
  ...slopedOps,
  ...statisticsOps,
  ...tileOps,
  ...transposeOps,
  ...unaryOps,
  ...winogradOps,
} as const satisfies Record<string, Op>;
