// The entry "lanewise/tflite": models in TensorFlow Lite's format.
import { FormatError, isOwnError, told, typeError, UnsupportedError } from "../../errors.js";
import { isValue, type Value } from "../../graph/value.js";
import { sequences } from "../../ops/carry.js";
import { input } from "../../ops/leaf.js";
import { asQuantized } from "../../ops/quantized/convert.js";
import { type BuildOptions, build, checkOptions } from "../../program/build.js";
import type { Model } from "../../program/model.js";
import { sameShape, show } from "../../shape.js";
import type { DType } from "../../tensor.js";
import { Importer, Operator } from "./importer.js";
import { initialGraphs, mostSequences } from "./initialize.js";
import { checkLimits } from "./limits.js";
import { asInt8, asUint8 } from "./operators/conversion.js";
import { ruleFor, rulesFor } from "./operators/index.js";
import { readTflite, type TfliteGraph } from "./schema.js";
import { Variables } from "./variables.js";

export type { Quantization } from "../../graph/attrs.js";
export { tfliteOps } from "../../ops/tflite.js";
export type { BuildOptions } from "../../program/build.js";
export type { Model } from "../../program/model.js";

/**
 * A model from a TensorFlow Lite file. Weights keep their types: int8 stays int8, with `kernel`, `scale` and `bias` for each layer; int8
 * arithmetic is that of XNNPACK, which TensorFlow Lite itself uses. The first axis of inputs is the batch, and may be any. What integers of
 * inputs and outputs stand for is the `quantization` of their specs.
 * @param bytes the file
 * @param options as for `build`
 * @throws {FormatError} when the bytes are no complete, consistent file; {UnsupportedError} that names all operators there are no rules for
 * @example
 * const open = async (url: string) => fromTflite(await (await fetch(url)).arrayBuffer());
 */
export async function fromTflite(bytes: Uint8Array | ArrayBuffer, options: BuildOptions = {}): Promise<Model> {
  checkOptions(options, "fromTflite");
  if (!(bytes instanceof Uint8Array) && !(bytes instanceof ArrayBuffer))
    throw typeError({ op: "fromTflite", expected: "the bytes of a file", actual: told(bytes) });
  const file = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  const graphs = readTflite(file);
  const [graph] = graphs;
  const used = initialGraphs(graphs);
  checkOperators([...used, graph]);
  const variables = new Variables();
  rethrow(() => {
    for (const each of used) apply(each, new Importer(each, file.length, variables, true));
  });
  await rethrowAsync(() => variables.settle());
  const importer = new Importer(graph, file.length, variables);
  const { inputs, outputs } = rethrow(() => connect(graph, importer));
  checkLimits(outputs, file.length);
  const model = await rethrowAsync(() => build(inputs, outputs, options));
  const names = new Map([...model.names.states].map(([name, value]) => [value, name]));
  model.setWeights(
    Object.fromEntries(
      [...importer.weights].flatMap(([value, data]) => (names.has(value) ? [[names.get(value), data]] : [])),
    ),
  );
  return model;
}

/** @throws {UnsupportedError} that names every operator without a rule, with its types where it has one for others */
function checkOperators(graphs: readonly TfliteGraph[]): void {
  const missing = graphs.flatMap((graph) =>
    graph.operators.flatMap((operator) => {
      const { name, inputs, outputs } = operator;
      if (ruleFor(operator, graph)) return [];
      const [one] = rulesFor(name);
      const type = (index: number | undefined) => graph.tensors[index ?? -1]?.type;
      return [one ? `${name} (${type(inputs[one.typed ?? 0])} to ${type(outputs[0])})` : name];
    }),
  );
  if (missing.length === 0) return;
  const names = [...new Set(missing)].sort();
  throw new UnsupportedError(`fromTflite: no rule for ${names.join(", ")}`, names);
}

/** The model's graph, from its inputs to its outputs. */
function connect(graph: TfliteGraph, importer: Importer): { inputs: Value[]; outputs: Value[] } {
  const most = mostSequences(graph);
  const { whole } = batchOf(graph);
  const inputs = graph.inputs.map((index) => {
    const { name, shape, type } = graph.tensors[index];
    if (type === "string" || type === "float16" || type === "complex64")
      throw new FormatError(`tflite: input "${name}": expected numbers, got ${type} ${show(shape)}`);
    const quantization = graph.tensors[index].scales.length === 1 && { quantization: given(graph, index) };
    const batched = !whole.has(index);
    // Integers of 64 bits are taken for 32.
    const dtype = type === "int64" ? "int32" : (type as DType);
    const options = { dtype, ...nameOf(name, graph, index), ...quantization, batched };
    const value = input(batched ? shape.slice(1) : shape, options);
    const limited = most === undefined || !batched ? value : sequences(value, most);
    importer.set(index, type === "uint8" && graph.tensors[index].scales.length === 1 ? asInt8(limited) : limited);
    return value;
  });
  apply(graph, importer);
  const made = graph.outputs.map((index) => {
    const value = importer.value(index);
    const { type, scales } = graph.tensors[index];
    return type === "uint8" && scales.length === 1 ? asUint8(value) : value;
  });
  const outputs = importer.variables
    .carried(made)
    .map((value, i) =>
      graph.tensors[graph.outputs[i]].scales.length === 1 && value.dtype !== "float32"
        ? asQuantized(value, given(graph, graph.outputs[i]))
        : value,
    );
  return { inputs, outputs };
}

/** Applies the rules, in the order of the file. */
function apply(graph: TfliteGraph, importer: Importer): void {
  const { batch } = batchOf(graph);
  graph.operators.forEach((operator, i) => {
    const rule = ruleFor(operator, graph);
    if (rule === undefined) throw new UnsupportedError(`fromTflite: no rule for ${operator.name}`, [operator.name]);
    const built = rule.build(new Operator(importer, operator));
    if (rule.isSilent) return;
    const results = isValue(built) ? [built] : built;
    const where = `tflite: operator ${i} (${operator.name})`;
    if (results.length !== operator.outputs.length)
      throw new FormatError(`${where}: expected ${results.length} results, got ${operator.outputs.length}`);
    operator.outputs.forEach((out, k) => {
      const { shape, open, name } = graph.tensors[out];
      const made = results[k].shape;
      const alike = made.length === shape.length;
      const fits =
        sameShape(made, shape) || (alike && (batch !== 1 || made.every((d, i) => d === shape[i] || open[i])));
      if (!fits)
        throw new FormatError(`${where}: expected "${name}" to be ${show(made)}, the file says ${show(shape)}`);
      importer.set(out, results[k]);
    });
  });
}

/**
 * How many samples a file's shapes are for: the first axis of the input with most axes. Inputs of which that is not the first axis have no
 * batch, and such as shapes, which operators take as they are.
 */
function batchOf(graph: TfliteGraph): { batch: number; whole: ReadonlySet<number> } {
  const { tensors, inputs, operators } = graph;
  const whole = new Set(operators.flatMap((each) => ruleFor(each, graph)?.unbatched?.map((i) => each.inputs[i]) ?? []));
  const shapes = inputs.filter((index) => !whole.has(index)).map((index) => tensors[index].shape);
  const batch = shapes.reduce((most, shape) => (shape.length > most.length ? shape : most), [])[0] ?? 1;
  for (const index of inputs) if (tensors[index].shape[0] !== batch) whole.add(index);
  return { batch, whole };
}

/** What the integers of the file stand for, uint8 as they are. */
function given({ tensors }: TfliteGraph, index: number): { scale: number; zeroPoint: number } {
  const { scales, zeroPoints } = tensors[index];
  return { scale: scales[0], zeroPoint: zeroPoints[0] };
}

/** The file's name for an input, where it is one that may stand in our files, and no other has it. */
function nameOf(name: string, { tensors, inputs }: TfliteGraph, index: number): { name?: string } {
  const printable = /^[ -~]{1,256}$/.test(name) && inputs.every((i) => i === index || tensors[i].name !== name);
  return printable ? { name } : {};
}

/** What our own checks say about a file's content is a FormatError. */
function rethrow<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw asFormat(cause);
  }
}

async function rethrowAsync<T>(make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (cause) {
    throw asFormat(cause);
  }
}

function asFormat(cause: unknown): unknown {
  if (!isOwnError(cause) || cause instanceof FormatError || cause instanceof UnsupportedError) return cause;
  return new FormatError(`tflite: ${cause.message}`, { cause });
}
