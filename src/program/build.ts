// From values to a model.
import { checkKeys, ShapeError, typeError } from "../errors.js";
import { checkValue, type Graph, isValue, type Value } from "../graph/value.js";
import { roots, topological } from "../graph/walk.js";
import { inputOp } from "../ops/leaf.js";
import type { KernelFamily } from "../runtime/family.js";
import { findVariant, type VariantOptions } from "../runtime/variant.js";
import { Model } from "./model.js";

export interface BuildOptions extends VariantOptions {
  /** Of the initial weights; default 0. An integer in [0, 2^53). */
  seed?: number;
  /** Default `model`. */
  name?: string;
}

/**
 * Makes a model with fresh weights.
 * @param inputs from `input()`
 * @param outputs a layer to apply to the (only) input, or values made from the inputs
 * @throws {TypeError} when a name is given twice, or an output needs an input that is not listed
 * @example
 * const model = await build(input([784]), sequential(dense(64, { activation: "relu" }), dense(10, { activation: "softmax" })));
 * model.predict(new Float32Array(784)).shape; // [1, 10]
 */
export async function build(
  inputs: Value | readonly Value[],
  outputs: ((x: Value) => Value) | Value | readonly Value[],
  options: BuildOptions = {},
): Promise<Model> {
  const { name = "model", seed = 0 } = checkOptions(options, "build");
  const ins = asList(inputs);
  const outs = asList(typeof outputs === "function" ? outputs(onlyOne(ins)) : outputs);
  for (const value of ins) checkInput(value);
  for (const value of outs) checkValue(value, "build");
  if (outs.length === 0) throw typeError({ op: "build", expected: "at least one output", actual: "none" });
  const graph = checkInputs({ inputs: ins, outputs: outs, effects: [] });
  const model = new Model(name, graph, await findVariant(options, familiesOf(graph)));
  model.initialize(seed);
  await model.store.crew?.ready;
  return model;
}

/** Options that `build` and `load` share. @param more names of others @throws {RangeError} or {TypeError} for what cannot be */
export function checkOptions(options: BuildOptions, op: string, more: readonly string[] = []): BuildOptions {
  checkKeys(op, options, ["seed", "name", "math", "threads", "kernels", ...more]);
  const { seed, math = "exact", threads = 1, name } = options;
  if (seed !== undefined && !(Number.isSafeInteger(seed) && seed >= 0)) {
    throw typeError({ op, expected: "seed to be an integer in [0, 2^53)", actual: String(seed) });
  }
  if (name !== undefined && (typeof name !== "string" || name === ""))
    throw typeError({ op, expected: "name to be a text", actual: String(name) });
  if (math !== "exact" && math !== "relaxed")
    throw typeError({ op, expected: 'math to be "exact" or "relaxed"', actual: String(math) });
  if (threads !== "auto" && !(Number.isSafeInteger(threads) && threads >= 1))
    throw typeError({ op, expected: 'threads to be a positive integer or "auto"', actual: String(threads) });
  return options;
}

/** The families of kernels that a graph's ops name. */
export const familiesOf = (graph: Graph): Set<KernelFamily> =>
  new Set(topological(roots(graph)).flatMap(({ op }) => op.family ?? []));

const asList = <T>(x: T | readonly T[]): readonly T[] => (Array.isArray(x) ? (x as readonly T[]) : [x as T]);

function onlyOne(inputs: readonly Value[]): Value {
  if (inputs.length === 1) return inputs[0];
  throw typeError({ op: "build", expected: "one input for a layer as output", actual: String(inputs.length) });
}

function checkInput(value: unknown): void {
  if (isValue(value) && value.node.op === inputOp) return;
  throw typeError({
    op: "build",
    expected: "inputs made by input()",
    actual: isValue(value) ? `the result of ${value.node.op.name}` : String(value),
  });
}

/** Every input that an output needs must be listed, once. */
function checkInputs(graph: Graph): Graph {
  const listed = new Set(graph.inputs);
  if (listed.size !== graph.inputs.length)
    throw typeError({ op: "build", expected: "each input once", actual: "one of them twice" });
  for (const node of topological(graph.outputs)) {
    if (node.op !== inputOp || listed.has(node.outputs[0])) continue;
    const [{ shape }] = node.outputs;
    throw new ShapeError({
      op: "build",
      expected: "all inputs that the outputs need",
      actual: `none for input [${shape.slice(1).join(", ")}]`,
    });
  }
  return graph;
}
