// A row of the table as one graph: its result, and the gradients of sum(result * upstream) towards its float32 arguments.
import { type Graph, leaf, type Value } from "../../src/graph/value.js";
import { mul, sum } from "../../src/index.js";
import { constant, inputOp } from "../../src/ops/leaf.js";
import { gradients } from "../../src/passes/grad.js";
import { arrayOf, type TypedArray } from "../../src/tensor.js";
import { type Array64, numbers } from "../oracle/array.js";
import type { Case } from "./case.js";

/** An argument as an input of a graph; here it may have a rank of 0. */
export function leafOf({ shape, labels }: Pick<Case["inputs"][number], "shape" | "labels">): Value {
  const spec = { shape, dtype: labels ? "int32" : "float32" } as const;
  return leaf(inputOp, spec, spec);
}

/** What flows back into a result of that shape. */
export const upstreamOf = (shape: readonly number[]): Array64 => numbers(shape, 99);

/** Outputs: the result, then one gradient for each argument that has one; where nothing flows it is zero. */
export function graphOf({ inputs, op }: Pick<Case, "inputs" | "op">): Graph {
  const leaves = inputs.map(leafOf);
  const y = op(...leaves);
  const data = Float32Array.from(upstreamOf(y.shape).data);
  const loss = sum(mul(y, constant({ data, shape: y.shape, dtype: "float32" })));
  const wrt = leaves.filter((_, i) => !inputs[i].labels);
  const flowing = gradients(loss, wrt).map((value, k) => value ?? mul(wrt[k], 0));
  return { inputs: leaves, outputs: [y, ...flowing], effects: [] };
}

/** The numbers of a row's arguments as memory holds them. */
export const dataOf = ({ inputs }: Pick<Case, "inputs">): TypedArray[] =>
  inputs.map(({ data, labels }) => arrayOf(labels ? "int32" : "float32").from(data));
