// Lanewise's own files: safetensors with the graph as JSON in the metadata. A file comes from a stranger: it is rebuilt through the same
// checks as a graph in code, and nothing is kept unless all of it is right.
import { FormatError, isOwnError, told, typeError } from "../errors.js";
import type { Op } from "../graph/op.js";
import { type Attrs, type Graph, type LayerInfo, leaf, make, type Node, type Value } from "../graph/value.js";
import { roots, topological } from "../graph/walk.js";
import { findOp } from "../ops/index.js";
import { argumentOp, constantOp, inputOf, inputOp, stateOp } from "../ops/leaf.js";
import { type BuildOptions, checkOptions, familiesOf } from "../program/build.js";
import { Model } from "../program/model.js";
import { readSource, type Source } from "../runtime/read.js";
import { findVariant } from "../runtime/variant.js";
import { type Shape, sameShape } from "../shape.js";
import type { DType, Tensor } from "../tensor.js";
import { readSafetensors, writeSafetensors } from "./safetensors.js";

/** Version of the graph's JSON; readers refuse what is newer. */
const VERSION = 1;
const KEY = "lanewise";

/** A result of an earlier node: its position in `nodes`, and which result. */
type Reference = readonly [node: number, index: number];

interface NodeJson {
  readonly op: string;
  readonly inputs: readonly Reference[];
  readonly attrs: Attrs;
  /** Position in `layers`. */
  readonly layer?: number;
  /** States and constants: the tensor that holds their numbers. */
  readonly tensor?: string;
}

interface GraphJson {
  readonly version: number;
  readonly name: string;
  readonly layers: readonly { readonly kind: string; readonly name: string }[];
  readonly nodes: readonly NodeJson[];
  readonly inputs: readonly Reference[];
  readonly outputs: readonly Reference[];
}

const leaves: Record<string, Op> = { input: inputOp, argument: argumentOp, state: stateOp, constant: constantOp };

/**
 * A model as the bytes of a safetensors file: weights under their names, the graph in its metadata. The same model gives the same bytes.
 * @returns bytes for `load`, and for any safetensors reader
 * @example
 * const model = await build(input([4]), dense(2));
 * const copy = await load(save(model));
 */
export function save(model: Model): Uint8Array {
  if (typeof model?.weights !== "function") throw typeError({ op: "save", expected: "a model", actual: told(model) });
  const { graph, names } = model;
  const nodes = topological([...graph.inputs, ...roots(graph)]);
  const at = new Map(nodes.map((node, i) => [node, i]));
  const reference = ({ node, index }: Value): Reference => [at.get(node) as number, index];
  const infos = [...new Set(nodes.flatMap((node) => node.layer ?? []))];
  const stateNames = new Map([...names.states].map(([name, value]) => [value.node, name]));
  const tensors: Record<string, Tensor> = model.weights();
  const describe = (node: Node): NodeJson => {
    const constant = node.op === constantOp ? `constant/${at.get(node)}` : undefined;
    if (node.data && constant) tensors[constant] = node.data;
    return {
      op: node.op.name,
      inputs: node.inputs.map(reference),
      attrs: node.attrs,
      layer: node.layer && infos.indexOf(node.layer),
      tensor: stateNames.get(node) ?? constant,
    };
  };
  const json: GraphJson = {
    version: VERSION,
    name: model.name,
    layers: infos.map((info) => ({ kind: info.kind, name: names.layers.get(info) ?? info.name ?? info.kind })),
    nodes: nodes.map(describe),
    inputs: graph.inputs.map(reference),
    outputs: graph.outputs.map(reference),
  };
  return writeSafetensors({ tensors, metadata: { [KEY]: JSON.stringify(json) } });
}

export interface LoadOptions extends BuildOptions {
  /**
   * Layers that the file may hold, for bundlers alone: they leave out what a program does not use, and cannot see what is in a file. The
   * common layers are always there; one that was left out is named by the error.
   */
  layers?: readonly unknown[];
}

/**
 * A model from a file that `save` made.
 * @param source its bytes, a Response, or an address to fetch (in Node also a `file:` URL)
 * @param options as for `build`; `name` replaces the one in the file; `layers` keeps bundlers from leaving out what the file needs
 * @throws {FormatError} when the bytes are not a complete, consistent model; it says what is wrong and where
 * @example
 * const model = await load(save(await build(input([4]), dense(2))));
 */
export async function load(source: Source, options: LoadOptions = {}): Promise<Model> {
  checkOptions(options, "load", ["layers"]);
  const { layers } = options;
  if (layers !== undefined && !Array.isArray(layers))
    throw typeError({ op: "load", expected: "layers to be a list", actual: told(layers) });
  const { tensors, metadata } = readSafetensors(await readSource(source));
  const text = Object.hasOwn(metadata, KEY) ? metadata[KEY] : undefined;
  if (text === undefined) {
    throw new FormatError(`load: expected a graph in the metadata ("${KEY}"); this safetensors file has weights only`);
  }
  const { graph, name, weights } = readGraph(parse(text), tensors);
  const variant = await findVariant(options, familiesOf(graph));
  const model = rethrow("graph", () => new Model(options.name ?? name, graph, variant));
  model.setWeights(rethrow("weights", () => named(model, weights)));
  await model.store.crew?.ready;
  return model;
}

function parse(text: string): GraphJson {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new FormatError("load: expected the graph to be JSON", { cause });
  }
  const given = json as Partial<GraphJson> | null;
  if (typeof given !== "object" || given === null || given.version !== VERSION) {
    throw new FormatError(`load: expected a graph of version ${VERSION}, got ${JSON.stringify(given?.version)}`);
  }
  for (const key of ["layers", "nodes", "inputs", "outputs"] as const) {
    if (!Array.isArray(given[key])) throw new FormatError(`load: expected "${key}" of the graph to be a list`);
  }
  if (typeof given.name !== "string") throw new FormatError('load: expected "name" of the graph to be a text');
  return given as GraphJson;
}

/** Runs `make`; what our own checks say about the content becomes a FormatError that tells where in the file it was. */
function rethrow<T>(where: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (cause instanceof FormatError || !isOwnError(cause)) throw cause;
    throw new FormatError(`load: ${where}: ${cause.message}`, { cause });
  }
}

function readGraph(
  json: GraphJson,
  tensors: Record<string, Tensor>,
): { graph: Graph; name: string; weights: Map<Value, Tensor> } {
  const layers = json.layers.map(readLayer);
  const nodes: Node[] = [];
  const weights = new Map<Value, Tensor>();
  const used = new Set<string>();
  const resolve = (where: string, reference: unknown): Value => {
    const [node, index] = Array.isArray(reference) ? reference : [];
    const value = nodes[node]?.outputs[index];
    if (value !== undefined && Array.isArray(reference) && reference.length === 2) return value;
    throw new FormatError(
      `load: ${where}: expected [node, result] of a node before it, got ${JSON.stringify(reference)}`,
    );
  };
  json.nodes.forEach((given, i) => {
    const where = `node ${i}`;
    if (
      typeof given !== "object" ||
      given === null ||
      !Array.isArray(given.inputs) ||
      typeof given.attrs !== "object" ||
      given.attrs === null
    ) {
      throw new FormatError(`load: ${where}: expected op, inputs and attrs`);
    }
    const inputs = given.inputs.map((reference) => resolve(where, reference));
    const op = typeof given.op === "string" ? given.op : "";
    const node = rethrow(`${where} (${op})`, () => {
      if (Object.hasOwn(leaves, op)) return readLeaf(where, op, given, tensors, weights, used);
      const known = findOp(op);
      if (known === undefined) throw unknownOp(where, given.op, layers[given.layer ?? -1]?.kind);
      return make(known, inputs, given.attrs);
    });
    if (given.layer !== undefined) {
      const info = layers[given.layer];
      if (info === undefined)
        throw new FormatError(`load: ${where}: expected a layer of the file, got ${JSON.stringify(given.layer)}`);
      node.layer = info;
    }
    nodes.push(node);
  });
  const stray = Object.keys(tensors).find((name) => !used.has(name));
  if (stray !== undefined) throw new FormatError(`load: tensor "${stray}" belongs to no node of the graph`);
  const inputs = json.inputs.map((reference, i) => resolve(`input ${i}`, reference));
  const outputs = json.outputs.map((reference, i) => resolve(`output ${i}`, reference));
  const fed = new Set(inputs);
  const bad =
    inputs.length === 0 ||
    outputs.length === 0 ||
    fed.size !== inputs.length ||
    inputs.some((value) => value.node.op !== inputOp);
  const missing = topological(outputs).some((node) => node.op === inputOp && !fed.has(node.outputs[0]));
  if (bad || missing)
    throw new FormatError("load: expected every input node once among the inputs, and at least one output");
  const reached = new Set(topological([...inputs, ...outputs]));
  const dead = nodes.findIndex((node) => !reached.has(node));
  if (dead >= 0) throw new FormatError(`load: node ${dead} is needed by no output`);
  return { graph: { inputs, outputs, effects: [] }, name: json.name, weights };
}

/** @param layer the kind of layer that the node is of, which is what a program names */
function unknownOp(where: string, op: unknown, layer = op): FormatError {
  const name = JSON.stringify(op);
  const hint = `if this bundle leaves it out, name its layer: load(file, { layers: [${layer}] })`;
  return new FormatError(`load: ${where}: unknown op ${name}${typeof op === "string" ? `: ${hint}` : ""}`);
}

function readLayer(given: unknown, i: number): LayerInfo {
  const { kind, name } = (given ?? {}) as Record<string, unknown>;
  if (typeof kind !== "string" || typeof name !== "string" || kind === "" || name === "") {
    throw new FormatError(`load: layer ${i}: expected a kind and a name`);
  }
  return { kind, name };
}

/** Makes an input, argument, state or constant; the last two must have their numbers in the file, so their size is bounded by it. */
function readLeaf(
  where: string,
  op: string,
  { attrs, inputs, tensor }: NodeJson,
  tensors: Record<string, Tensor>,
  weights: Map<Value, Tensor>,
  used: Set<string>,
): Node {
  if (inputs.length > 0) throw new FormatError(`load: ${where}: expected no inputs for ${op}`);
  leaves[op].check(attrs);
  const { shape, dtype } = attrs as unknown as { shape: Shape; dtype: DType };
  if (op === "input") return inputOf(attrs).node;
  if (op === "argument") return leaf(argumentOp, attrs, { shape, dtype }).node;
  const data = typeof tensor === "string" && Object.hasOwn(tensors, tensor) ? tensors[tensor] : undefined;
  if (data === undefined || used.has(tensor as string)) {
    throw new FormatError(`load: ${where}: expected a tensor of its own in the file, got ${JSON.stringify(tensor)}`);
  }
  used.add(tensor as string);
  if (op === "constant") return leaf(constantOp, {}, data, data).node;
  if (!sameShape(shape, data.shape) || dtype !== data.dtype) {
    throw new FormatError(
      `load: ${where}: expected tensor "${tensor}" to be ${dtype} [${shape}], got ${data.dtype} [${data.shape}]`,
    );
  }
  const value = leaf(stateOp, attrs, { shape, dtype });
  weights.set(value, data);
  return value.node;
}

const named = (model: Model, weights: ReadonlyMap<Value, Tensor>): Record<string, Tensor> =>
  Object.fromEntries([...model.names.states].map(([name, value]) => [name, weights.get(value) as Tensor]));
