// Which nodes of a graph of floats int8 ops do, and which values get integers of their own. Nothing here knows numbers: quantize.ts takes
// ranges from calibration, quantization-aware training learns them; convert.ts makes the int8 model of either.
import { rangeError, told, typeError } from "../errors.js";
import type { Graph, Node, Value } from "../graph/value.js";
import { roots, topological, useCounts } from "../graph/walk.js";
import { concatOps } from "../ops/concat.js";
import { inputOp } from "../ops/leaf.js";
import { fakeQuantizeOps } from "../ops/quantized/fake.js";
import { fold } from "../passes/fold.js";
import { inference } from "../passes/inference.js";
import { onlyWeights } from "../passes/weights.js";
import { Model } from "../program/model.js";
import { chainOf, integersOf, sourceOf } from "./functions.js";
import { type Rule, ruleOf } from "./rules.js";
import { isProduct, nameOf, type Run, runFrom } from "./runs.js";

/** How a node becomes int8: as the last of a run, as a function of another value, or by a rule. */
export type Way =
  | { readonly kind: "run"; readonly run: Run }
  | { readonly kind: "function"; readonly of: Value }
  | { readonly kind: "rule"; readonly rule: Rule }
  | { readonly kind: "input" };

export interface Plan {
  readonly graph: Graph;
  readonly order: readonly Node[];
  /** Nodes that depend on weights alone. */
  readonly fixed: ReadonlySet<Node>;
  /** Nodes that int8 ops do; of a run its last. */
  readonly ints: ReadonlyMap<Node, Way>;
  /** Nodes that stay as they are. Others nobody needs. */
  readonly floats: ReadonlySet<Node>;
  /** Values with integers of their own, in the order of the graph: their ranges are to be known. */
  readonly points: readonly Value[];
  /** Values that take the integers of another. */
  readonly like: ReadonlyMap<Value, Value>;
  /** Runs that are products, in the order of the graph. */
  readonly products: readonly Run[];
  /** Names of layers with products, those that stay float too. */
  readonly layers: readonly string[];
  readonly inputs: "float32" | "int8";
  readonly outputs: "float32" | "int8";
}

export interface PlanOptions {
  /** Names of layers that stay float. */
  readonly skip?: readonly string[];
  /** What goes into the model, default `float32`. */
  readonly inputs?: "float32" | "int8";
  /** What comes out of it, default `float32`. */
  readonly outputs?: "float32" | "int8";
}

/**
 * The graph that is quantized: a model's own, as it predicts, normalizations folded.
 * @param op the function that asks, for errors
 * @throws {TypeError} for a model that is quantized already or keeps state
 */
export function foldedOf(model: Model, op: string): Graph {
  if (!(model instanceof Model)) throw typeError({ op, expected: "a model", actual: told(model) });
  const graph = fold(inference(model.atBatch(1)));
  const order = topological([...graph.inputs, ...roots(graph)]);
  if (order.some((node) => node.outputs.some(({ dtype }) => dtype === "int8")))
    throw typeError({ op, expected: "a model of floats", actual: "one that is quantized already" });
  if (graph.effects.length > 0)
    throw typeError({ op, expected: "a model whose predictions change no state", actual: "one that keeps state" });
  return graph;
}

/**
 * The plan for a model; the same graph and options give the same plan, value for value in the same order.
 * @param op the function that asks, for errors
 * @throws {RangeError} for a layer in `skip` that has no product; {TypeError} for a model in quantization-aware training; and as
 *   {@link foldedOf}
 */
export function planOf(model: Model, op: string, options: PlanOptions = {}, graph = foldedOf(model, op)): Plan {
  const { skip = [], inputs = "float32", outputs = "float32" } = options;
  const order = topological([...graph.inputs, ...roots(graph)]);
  if (order.some((node) => node.op === fakeQuantizeOps.fakeQuantize))
    throw typeError({ op, expected: "a model of floats", actual: "one that quantizeAware has prepared" });
  const fixed = onlyWeights(order);
  const layers = [...new Set(order.flatMap((node) => (isProduct(node, fixed) ? [nameOf(node, model.names)] : [])))];
  const missing = skip.find((name) => !layers.includes(name));
  if (missing !== undefined)
    throw rangeError({ op, expected: `layers of ${layers.join(", ") || "none"}`, actual: JSON.stringify(missing) });
  const ways = waysOf(model, graph, order, fixed, new Set(skip), inputs);
  return { graph, order, fixed, layers, inputs, outputs, ...needed(graph, order, fixed, ways, outputs) };
}

/** What could be done in int8. */
interface Ways {
  readonly ways: ReadonlyMap<Node, Way>;
  /** Nodes that are better done in int8 even where only floats are made of them. */
  readonly eager: ReadonlySet<Node>;
}

function waysOf(
  model: Model,
  graph: Graph,
  order: readonly Node[],
  fixed: ReadonlySet<Node>,
  skip: ReadonlySet<string>,
  inputs: "float32" | "int8",
): Ways {
  const uses = useCounts(graph);
  const readers = new Map(order.flatMap((node) => node.inputs.map((value): [Value, Node] => [value, node])));
  const ways = new Map<Node, Way>();
  const eager = new Set<Node>();
  const inside = new Set<Node>();
  const sources = new Map<Value, Value>();
  // What products read is made int8 in any case.
  const taken = new Set(
    order.flatMap((node) => (isProduct(node, fixed) && !skip.has(nameOf(node, model.names)) ? [node.inputs[0]] : [])),
  );
  const known = (value: Value) => ways.has(value.node) || taken.has(value);
  const isEager = (value: Value) => eager.has(value.node) || taken.has(value);
  const set = (node: Node, way: Way, isEager: boolean) => {
    ways.set(node, way);
    if (isEager) eager.add(node);
  };
  for (const node of order) {
    const [first] = node.outputs;
    if (fixed.has(node) || inside.has(node) || (node.op !== inputOp && first?.dtype !== "float32")) continue;
    if (node.op === inputOp) {
      if (inputs === "int8" && first.dtype === "float32" && graph.inputs.includes(first))
        set(node, { kind: "input" }, true);
      continue;
    }
    const of = sourceOf(node, fixed, sources);
    if (of) {
      sources.set(first, of);
      if (known(of)) set(node, { kind: "function", of }, false);
      continue;
    }
    const run = runFrom(node, { fixed, uses, readers, names: model.names });
    if (run) {
      if (run.product ? skip.has(run.product.layer) : !node.inputs.every(known)) continue;
      for (const each of run.nodes) if (each !== run.last) inside.add(each);
      set(run.last, { kind: "run", run }, run.product !== undefined || node.inputs.every(isEager));
      continue;
    }
    const rule = ruleOf(node);
    if (rule === undefined) continue;
    const xs = node.inputs.slice(0, rule.ints?.(node) ?? 1);
    if (xs.every(known)) set(node, { kind: "rule", rule }, !rule.lazy && xs.every(isEager));
  }
  return { ways, eager };
}

/** From the outputs back: what is needed, and as what. */
function needed(
  graph: Graph,
  order: readonly Node[],
  fixed: ReadonlySet<Node>,
  { ways, eager }: Ways,
  outputs: "float32" | "int8",
): Pick<Plan, "ints" | "floats" | "points" | "like" | "products"> {
  const [asInt, asFloat] = [new Set<Value>(graph.inputs.filter(({ node }) => ways.has(node))), new Set(graph.inputs)];
  for (const value of graph.outputs)
    (outputs === "int8" && value.dtype === "float32" && !fixed.has(value.node) ? asInt : asFloat).add(value);
  const used = new Map<Node, Way>();
  const floats = new Set<Node>();
  for (const node of [...order].reverse()) {
    const way = ways.get(node);
    const wanted = node.outputs.some((value) => asFloat.has(value));
    if (way && (node.outputs.some((value) => asInt.has(value)) || (wanted && eager.has(node)))) {
      used.set(node, way);
      const [ints, others] = operands(node, way, fixed);
      for (const value of ints) asInt.add(value);
      for (const value of others) asFloat.add(value);
    } else if (wanted || node.outputs.some((value) => asInt.has(value))) {
      floats.add(node);
      for (const value of node.inputs) asFloat.add(value);
    }
  }
  const like = new Map<Value, Value>();
  const uses = useCounts(graph);
  for (const [
    {
      op,
      inputs,
      outputs: [y],
    },
  ] of used)
    if (op === concatOps.concat) for (const x of inputs) if (uses.get(x) === 1 && isOwn(x)) like.set(x, y);
  const points: Value[] = [];
  for (const { outputs } of order)
    for (const value of outputs)
      if (used.has(value.node) ? isOwn(value) && !like.has(value) : asInt.has(value)) points.push(value);
  const ints = new Map([...used].reverse());
  const products = [...ints.values()].flatMap((way) => (way.kind === "run" && way.run.product ? [way.run] : []));
  return { ints, floats, points, like, products };

  /** Whether an int8 result has integers that its inputs do not say. */
  function isOwn({ node }: Value): boolean {
    const way = used.get(node);
    if (way?.kind === "function") return integersOf(node) === undefined;
    return way !== undefined && (way.kind !== "rule" || way.rule.integers === undefined);
  }
}

/** What an int8 op takes as int8, and what it takes as it is. */
function operands(node: Node, way: Way, fixed: ReadonlySet<Node>): readonly [readonly Value[], readonly Value[]] {
  if (way.kind === "input") return [[], []];
  if (way.kind === "run") return [way.run.product ? way.run.first.inputs.slice(0, 1) : way.run.first.inputs, []];
  if (way.kind === "rule") {
    const n = way.rule.ints?.(node) ?? 1;
    return [node.inputs.slice(0, n), node.inputs.slice(n)];
  }
  const numbers = chainOf(node, way.of, fixed).flatMap(({ inputs }) => inputs.filter((value) => fixed.has(value.node)));
  return [[way.of], numbers];
}
