// Every op by name: the table that files are read against.
import type { Op } from "../graph/op.js";
import { activationOps } from "./activation.js";
import { arithmeticOps } from "./arithmetic.js";
import { broadcastOps } from "./broadcast.js";
import { convOps } from "./conv2d.js";
import { lossOps } from "./loss.js";
import { matmulOps } from "./matmul.js";
import { poolOps } from "./pool.js";
import { randomOps } from "./random.js";
import { reduceOps } from "./reduce.js";
import { regularizerOps } from "./regularizer.js";
import { shapeOps } from "./shape.js";

export const ops = {
  ...activationOps,
  ...arithmeticOps,
  ...broadcastOps,
  ...convOps,
  ...lossOps,
  ...matmulOps,
  ...poolOps,
  ...randomOps,
  ...reduceOps,
  ...regularizerOps,
  ...shapeOps,
} as const satisfies Record<string, Op>;
