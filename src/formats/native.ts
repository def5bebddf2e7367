// Lanewise's own files: safetensors with the graph as JSON in the metadata. A file comes from a stranger: it is rebuilt through the same
// checks as a graph in code, and nothing is kept unless all of it is right.
import { FormatError, told, typeError } from "../errors.js";
import type { Value } from "../graph/value.js";
import { type BuildOptions, checkOptions, familiesOf } from "../program/build.js";
import { Model } from "../program/model.js";
import { readSource, type Source } from "../runtime/read.js";
import { findVariant } from "../runtime/variant.js";
import type { Tensor } from "../tensor.js";
import { readGraph, rethrow, writeGraph } from "./graph.js";
import { readSafetensors, writeSafetensors } from "./safetensors.js";

const KEY = "lanewise";

/**
 * A model as the bytes of a safetensors file: weights under their names, the graph in its metadata. The same model gives the same bytes.
 * Weights of mostly zeros are smaller: `<weight>` has the others, `<weight>.mask` (U8) a bit for each element, least significant first.
 * @returns bytes for `load`, and for any safetensors reader
 * @example
 * const model = await build(input([4]), dense(2));
 * const copy = await load(save(model));
 */
export function save(model: Model): Uint8Array {
  if (typeof model?.weights !== "function") throw typeError({ op: "save", expected: "a model", actual: told(model) });
  const { text, tensors } = writeGraph(model.name, model.graph, model.names, model.weights());
  return writeSafetensors({ tensors, metadata: { [KEY]: text } });
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
  const { graph, name, weights } = readGraph(text, tensors);
  const variant = await findVariant(options, familiesOf(graph));
  const model = rethrow("graph", () => new Model(options.name ?? name, graph, variant));
  model.setWeights(rethrow("weights", () => named(model, weights)));
  await model.store.crew?.ready;
  return model;
}

const named = (model: Model, weights: ReadonlyMap<Value, Tensor>): Record<string, Tensor> =>
  Object.fromEntries([...model.names.states].map(([name, value]) => [name, weights.get(value) as Tensor]));
