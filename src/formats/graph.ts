// The graph as JSON, as files hold it. What is usual is left out: attributes that ops say are so, shapes that tensors have, first results.
// Reading goes through the same checks as a graph in code.
import { FormatError, isOwnError } from "../errors.js";
import { integers } from "../graph/attrs.js";
import type { Op } from "../graph/op.js";
import { type Attrs, type Graph, type LayerInfo, leaf, make, type Node, type Value } from "../graph/value.js";
import { roots, topological } from "../graph/walk.js";
import { findOp } from "../ops/index.js";
import { argumentOp, constantOp, inputOf, inputOp, stateOp } from "../ops/leaf.js";
import type { Names } from "../program/names.js";
import { type Shape, sameShape, show } from "../shape.js";
import type { DType, Tensor } from "../tensor.js";
import { bitmapOf, countBits, isSmaller, valuesOf, whole } from "./bitmap.js";

/** Of the JSON that is written. Older ones are read: 1 has every attribute, `[node, 0]` for a first result, and layers as objects. */
const VERSION = 2;

/** A result of an earlier node: its position in `nodes`, and which result; the position alone for the first. */
type Reference = number | readonly [node: number, index: number];

interface NodeJson {
  readonly op: string;
  /** Default none. */
  readonly inputs?: readonly Reference[];
  /** Those that are not usual. */
  readonly attrs?: Attrs;
  /** Position in `layers`. */
  readonly layer?: number;
  /** States and constants: the tensor that holds their numbers; those that are not zero, where there is a mask. */
  readonly tensor?: string;
  /** The bitmap that says where; alone it is the numbers of a constant of bools. */
  readonly mask?: string;
  /** With a mask: that of the whole. */
  readonly shape?: Shape;
}

const KEYS = ["op", "inputs", "attrs", "layer", "tensor", "mask", "shape"] satisfies (keyof NodeJson)[] as string[];

interface GraphJson {
  readonly version: number;
  readonly name: string;
  /** A name that is its kind, or that and a number, stands for both. */
  readonly layers: readonly (string | { readonly kind: string; readonly name: string })[];
  readonly nodes: readonly NodeJson[];
  readonly inputs: readonly Reference[];
  readonly outputs: readonly Reference[];
}

const leaves: Record<string, Op> = { input: inputOp, argument: argumentOp, state: stateOp, constant: constantOp };

/** What of a state's attributes is usual, given its tensor. */
function usualState(tensor: string, { shape, dtype }: Tensor, layer: LayerInfo | undefined): Attrs {
  const prefix = `${layer?.name}/`;
  return {
    name: tensor.startsWith(prefix) ? tensor.slice(prefix.length) : tensor,
    shape: [...shape],
    dtype,
    initializer: { kind: "constant", value: 0 },
    trainable: dtype === "float32",
  };
}

/** Attributes that are not usual; nothing where all are. */
function lean(attrs: Attrs, usual: Attrs): { attrs?: Attrs } {
  const own = Object.entries(attrs).filter(([key, x]) => JSON.stringify(x) !== JSON.stringify(usual[key]));
  const written = own.map(([key, x]) => [key, x === Number.POSITIVE_INFINITY ? "inf" : x === -Infinity ? "-inf" : x]);
  return own.length > 0 ? { attrs: Object.fromEntries(written) } : {};
}

const kindOf = (name: string): string => name.replace(/_\d+$/, "");

/** A graph as text, and the tensors that belong to it. @param weights by the names of states */
export function writeGraph(
  name: string,
  graph: Graph,
  names: Names,
  weights: Record<string, Tensor>,
): { text: string; tensors: Record<string, Tensor> } {
  const nodes = topological([...graph.inputs, ...roots(graph)]);
  const at = new Map(nodes.map((node, i) => [node, i]));
  const reference = ({ node, index }: Value): Reference => {
    const position = at.get(node) as number;
    return index === 0 ? position : [position, index];
  };
  const infos = [...new Set(nodes.flatMap((node) => node.layer ?? []))];
  const layers = infos.map((info) => ({
    kind: info.kind,
    name: names.layers.get(info) ?? info.name ?? info.kind,
  }));
  const stateNames = new Map([...names.states].map(([name, value]) => [value.node, name]));
  const masks = new Map(nodes.flatMap(masked));
  /** Names of bitmaps that are there already. */
  const bitmaps = new Map<Tensor, string>();
  const tensors = { ...weights };
  /** Puts numbers among the tensors, and says where. */
  const store = (tensor: string, numbers: Tensor, by?: Tensor): Pick<NodeJson, "tensor" | "mask" | "shape"> => {
    const own = bitmapOf(numbers.data);
    const given = by && bitmapOf(by.data);
    const shared = given?.every((bits, i) => (own[i] & ~bits) === 0) === true;
    const bitmap = shared ? given : own;
    const bools = numbers.dtype === "bool";
    if (!isSmaller(numbers, bools ? 0 : countBits(bitmap))) {
      tensors[tensor] = numbers;
      return { tensor };
    }
    const mask = bitmaps.get(numbers) ?? (bools ? tensor : unusedName(`${tensor}.mask`, { ...weights, ...tensors }));
    tensors[mask] = { data: bitmap, shape: [bitmap.length], dtype: "uint8" };
    if (bools) return { mask, shape: numbers.shape };
    if (shared) bitmaps.set(by as Tensor, mask);
    tensors[tensor] = valuesOf(numbers, bitmap);
    return { tensor, mask, shape: numbers.shape };
  };
  const describe = (node: Node): NodeJson => {
    const { op, layer } = node;
    const facts = { op: op.name, ...(layer && { layer: infos.indexOf(layer) }) };
    if (op === constantOp) return { ...facts, ...store(`constant/${at.get(node)}`, node.data as Tensor) };
    const state = stateNames.get(node);
    if (state !== undefined) {
      const usual = usualState(state, weights[state], layer && layers[infos.indexOf(layer)]);
      return { ...facts, ...store(state, weights[state], masks.get(node)), ...lean(node.attrs, usual) };
    }
    const inputs = node.inputs.length > 0 ? { inputs: node.inputs.map(reference) } : {};
    return { ...facts, ...inputs, ...lean(node.attrs, op.usual) };
  };
  const json: GraphJson = {
    version: VERSION,
    name,
    layers: layers.map((layer) => (kindOf(layer.name) === layer.kind ? layer.name : layer)),
    nodes: nodes.map(describe),
    inputs: graph.inputs.map(reference),
    outputs: graph.outputs.map(reference),
  };
  return { text: JSON.stringify(json), tensors };
}

/** A state and the bools of its shape that its reader has beside it: the bitmap of one does for both. */
function masked({ inputs }: Node): [state: Node, mask: Tensor][] {
  const [state, mask] = [stateOp, constantOp].map((op) => inputs.find(({ node }) => node.op === op));
  const data = mask?.node.data;
  return state && data?.dtype === "bool" && sameShape(state.shape, data.shape) ? [[state.node, data]] : [];
}

function unusedName(name: string, taken: object): string {
  let unused = name;
  while (Object.hasOwn(taken, unused)) unused += "_";
  return unused;
}

/** A graph from its text, the model's name, and the numbers of its states. @throws {FormatError} that says what is wrong and where */
export function readGraph(
  text: string,
  tensors: Record<string, Tensor>,
): { graph: Graph; name: string; weights: Map<Value, Tensor> } {
  const json = parse(text);
  const layers = json.layers.map(readLayer);
  const nodes: Node[] = [];
  const weights = new Map<Value, Tensor>();
  const take = taking(tensors);
  const resolve = (where: string, reference: unknown): Value => {
    const pair = Array.isArray(reference) ? reference : [reference, 0];
    const value = pair.every(Number.isInteger) ? nodes[pair[0]]?.outputs[pair[1]] : undefined;
    if (value !== undefined && pair.length === 2) return value;
    throw new FormatError(
      `load: ${where}: expected [node, result] of a node before it, got ${JSON.stringify(reference)}`,
    );
  };
  json.nodes.forEach((given, i) => {
    const where = `node ${i}`;
    const { inputs: references = [], attrs = {}, layer } = given ?? {};
    if (!isObject(given) || !Array.isArray(references) || !isObject(attrs))
      throw new FormatError(`load: ${where}: expected op, inputs and attrs`);
    const unknown = Object.keys(given).find((key) => !KEYS.includes(key));
    if (unknown !== undefined)
      throw new FormatError(`load: ${where}: expected ${KEYS.join(", ")}, got ${JSON.stringify(unknown)}`);
    const info = Number.isInteger(layer) ? layers[layer as number] : undefined;
    if (layer !== undefined && info === undefined)
      throw new FormatError(`load: ${where}: expected a layer of the file, got ${JSON.stringify(layer)}`);
    const inputs = references.map((reference) => resolve(where, reference));
    const op = typeof given.op === "string" ? given.op : "";
    const node = rethrow(`${where} (${op})`, () => {
      if (Object.hasOwn(leaves, op))
        return readLeaf(where, { ...given, op, attrs, inputs: references }, info, take, weights);
      const known = findOp(op);
      if (known === undefined) throw unknownOp(where, given.op, info?.kind);
      return remade(where, known, inputs, { ...known.usual, ...infinite(attrs) });
    });
    if (info) node.layer = info;
    nodes.push(node);
  });
  take.checkAll();
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

const isObject = (x: unknown): boolean => typeof x === "object" && x !== null;

function parse(text: string): GraphJson {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new FormatError("load: expected the graph to be JSON", { cause });
  }
  const given = json as Partial<GraphJson> | null;
  if (!isObject(given) || ![1, VERSION].includes(given?.version as number))
    throw new FormatError(`load: expected a graph of version 1 or ${VERSION}, got ${JSON.stringify(given?.version)}`);
  for (const key of ["layers", "nodes", "inputs", "outputs"] as const) {
    if (!Array.isArray(given?.[key])) throw new FormatError(`load: expected "${key}" of the graph to be a list`);
  }
  if (typeof given?.name !== "string") throw new FormatError('load: expected "name" of the graph to be a text');
  return given as GraphJson;
}

/** JSON has no infinities; ops have no attribute that could be these texts. */
const infinite = (attrs: Attrs): Attrs =>
  Object.fromEntries(
    Object.entries(attrs).map(([key, x]) => [key, x === "inf" ? Infinity : x === "-inf" ? -Infinity : x]),
  );

/** A node of a file. A shape rule that finds an input missing fails in its own way. */
function remade(where: string, op: Op, inputs: readonly Value[], attrs: Attrs): Node {
  try {
    return make(op, inputs, attrs);
  } catch (cause) {
    if (isOwnError(cause) || !(cause instanceof TypeError)) throw cause;
    throw new FormatError(`load: ${where}: expected the inputs of ${op.name}, got ${inputs.length}`, { cause });
  }
}

/** Runs `make`; what our own checks say about the content becomes a FormatError that tells where in the file it was. */
export function rethrow<T>(where: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (cause instanceof FormatError || !isOwnError(cause)) throw cause;
    throw new FormatError(`load: ${where}: ${cause.message}`, { cause });
  }
}

/** @param layer the kind of layer that the node is of, which is what a program names */
function unknownOp(where: string, op: unknown, layer = op): FormatError {
  const name = JSON.stringify(op);
  const hint = `if this bundle leaves it out, name its layer: load(file, { layers: [${layer}] })`;
  return new FormatError(`load: ${where}: unknown op ${name}${typeof op === "string" ? `: ${hint}` : ""}`);
}

function readLayer(given: unknown, i: number): LayerInfo {
  const { kind, name } = (typeof given === "string" ? { kind: kindOf(given), name: given } : (given ?? {})) as Record<
    string,
    unknown
  >;
  if (typeof kind !== "string" || typeof name !== "string" || kind === "" || name === "") {
    throw new FormatError(`load: layer ${i}: expected a kind and a name`);
  }
  return { kind, name };
}

type Take = ReturnType<typeof taking>;

/** Gives out a file's tensors: the values of one node each; bitmaps may serve several. */
function taking(tensors: Record<string, Tensor>) {
  const roles = new Map<string, "values" | "bitmap">();
  return {
    one(where: string, name: unknown, role: "values" | "bitmap"): Tensor {
      const found = typeof name === "string" && Object.hasOwn(tensors, name) ? tensors[name] : undefined;
      const before = roles.get(name as string);
      if (found === undefined || before === "values" || (before && role === "values")) {
        throw new FormatError(`load: ${where}: expected a tensor of its own in the file, got ${JSON.stringify(name)}`);
      }
      roles.set(name as string, role);
      return found;
    },
    checkAll() {
      const stray = Object.keys(tensors).find((name) => !roles.has(name));
      if (stray !== undefined) throw new FormatError(`load: tensor "${stray}" belongs to no node of the graph`);
    },
  };
}

const checkWhole = integers(0);

/** The numbers of a state or constant. What they take is bounded by the file: a bit for each element of the whole. */
function readNumbers(where: string, { op, tensor, mask, shape }: NodeJson, take: Take): Tensor {
  const values =
    mask !== undefined && tensor === undefined && op === "constant" ? undefined : take.one(where, tensor, "values");
  if (mask === undefined) return values as Tensor;
  const wrong = checkWhole(shape);
  if (wrong !== undefined)
    throw new FormatError(`load: ${where}: expected shape to be ${wrong}, got ${JSON.stringify(shape)}`);
  return whole(where, shape as Shape, take.one(where, mask, "bitmap"), values);
}

/** Makes an input, argument, state or constant; the last two must have their numbers in the file, so their size is bounded by it. */
function readLeaf(
  where: string,
  given: NodeJson,
  layer: LayerInfo | undefined,
  take: Take,
  weights: Map<Value, Tensor>,
): Node {
  const { op, inputs = [], tensor } = given;
  if (inputs.length > 0) throw new FormatError(`load: ${where}: expected no inputs for ${op}`);
  if (op === "constant") {
    constantOp.check(given.attrs ?? {});
    const data = readNumbers(where, given, take);
    return leaf(constantOp, {}, data, data).node;
  }
  const data = op === "state" ? readNumbers(where, given, take) : undefined;
  const usual = data ? usualState(tensor as string, data, layer) : leaves[op].usual;
  const attrs: Attrs = { ...usual, ...given.attrs };
  leaves[op].check(attrs);
  const { shape, dtype } = attrs as unknown as { shape: Shape; dtype: DType };
  if (op === "input") return inputOf(attrs).node;
  if (data === undefined) return leaf(argumentOp, attrs, { shape, dtype }).node;
  if (!sameShape(shape, data.shape) || dtype !== data.dtype) {
    throw new FormatError(
      `load: ${where}: expected tensor "${tensor}" to be ${dtype} ${show(shape)}, got ${data.dtype} ${show(data.shape)}`,
    );
  }
  const value = leaf(stateOp, attrs, { shape, dtype });
  weights.set(value, data);
  return value.node;
}
