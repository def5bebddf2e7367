// Every op by name: the table that files are read against.
import type { Op } from "../graph/op.js";
import { activationOps } from "./activation.js";
import { arithmeticOps } from "./arithmetic.js";
import { batchNormOps } from "./batchnorm.js";
import { broadcastOps } from "./broadcast.js";
import { convOps } from "./conv2d.js";
import { depthwiseOps } from "./depthwise.js";
import { layerNormOps } from "./layernorm.js";
import { lossOps } from "./loss.js";
import { matmulOps } from "./matmul.js";
import { pad2dOps } from "./pad2d.js";
import { poolOps } from "./pool.js";
import { randomOps } from "./random.js";
import { reduceOps } from "./reduce.js";
import { regularizerOps } from "./regularizer.js";
import { shapeOps } from "./shape.js";

export const ops = {
  ...activationOps,
  ...arithmeticOps,
  ...batchNormOps,
  ...broadcastOps,
  ...convOps,
  ...depthwiseOps,
  ...layerNormOps,
  ...lossOps,
  ...matmulOps,
  ...pad2dOps,
  ...poolOps,
  ...randomOps,
  ...reduceOps,
  ...regularizerOps,
  ...shapeOps,
} as const satisfies Record<string, Op>;
