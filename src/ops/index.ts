// The ops that files are read against: those of common models, which a bundle with `load` always holds, and whatever else it holds. Ops that
// only some models have (attention, recurrent layers, losses) stay out of this table: their bytes come with the layers that use them.
import { type Op, opNamed } from "../graph/op.js";
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
import { maskOps } from "./mask.js";
import { matmulOps } from "./matmul.js";
import { padOps } from "./pad.js";
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

/** Their tables. */
export const commonOps: readonly Readonly<Record<string, Op>>[] = [
  activationOps,
  arithmeticOps,
  batchNormOps,
  broadcastOps,
  castOps,
  comparisonOps,
  concatOps,
  convOps,
  depthwiseOps,
  extremumOps,
  gatherOps,
  layerNormOps,
  logicalOps,
  maskOps,
  matmulOps,
  padOps,
  poolOps,
  randomOps,
  reduceOps,
  regularizerOps,
  resizeOps,
  scanOps,
  shapeOps,
  sliceOps,
  slopedOps,
  statisticsOps,
  tileOps,
  transposeOps,
  unaryOps,
];

/** The op that a file means by a name, of those in this bundle. */
export function findOp(name: string): Op | undefined {
  const op = commonOps.find((table) => Object.hasOwn(table, name))?.[name] ?? opNamed(name);
  return op?.internal ? undefined : op;
}
