// Transfer learning: a trained model, or the part of it up to a layer, as a layer of another; weights from one model to another by name.
import { checkKeys, rangeError, ShapeError, told, typeError } from "../errors.js";
import { checkValue, type LayerInfo, leaf, type Value } from "../graph/value.js";
import { remake, rewrite, topological } from "../graph/walk.js";
import { isState, stateOp } from "../ops/leaf.js";
import type { Model } from "../program/model.js";
import { sameShape, show } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { checkModel } from "./objective.js";

export interface AsLayerOptions {
  /** The layer whose result it gives; default the model's only output. */
  to?: string;
  /** What the names of its layers begin with: `encoder` makes `encoder/conv2d`; default nothing, they keep their names. */
  name?: string;
}

/** A model as a layer: of one Value, or of as many as the inputs that are needed. */
export interface ModelLayer {
  (x: Value | readonly Value[]): Value;
  /** Names of its layers, for `freeze` and `learningRates`. */
  readonly layers: readonly string[];
}

/**
 * A model, or the part of it that leads to one layer, to build another model on, as Keras' `Model(base.input, base.get_layer(name).output)`.
 * The other model begins with copies of the weights as they are now. Applied twice it shares them, like any layer.
 * @throws {TypeError} for a layer that the model does not have or that gives several results; {ShapeError} when it is applied to what does
 *   not fit
 * @example
 * const base = await build(input([4]), sequential(dense(8, { activation: "relu", name: "features" }), dense(3)));
 * const features = asLayer(base, { to: "features" });
 * const model = await build(input([4]), sequential(features, dense(2, { name: "head", activation: "softmax" })));
 * const data = { x: tensor([[1, 2, 3, 4]]), y: tensor([1], [1], "int32") };
 * await fit(model, data, { optimizer: "adam", loss: "sparseCategoricalCrossentropy", freeze: features.layers });
 * model.weights()["features/bias"]; // that of the base
 */
export function asLayer(model: Model, options: AsLayerOptions = {}): ModelLayer {
  const op = "asLayer";
  checkModel(model, op);
  checkKeys(op, options, ["to", "name"]);
  const { to, name } = options;
  if (name !== undefined && (typeof name !== "string" || name === ""))
    throw typeError({ op, expected: "name to be a text", actual: told(name) });
  const target = to === undefined ? onlyOutput(model) : resultOf(model, to, op);
  const { inputs, layers, apply } = transplant(model, [target], (own) => (name === undefined ? own : `${name}/${own}`));
  const applied = (given: Value | readonly Value[]): Value => {
    const values = Array.isArray(given) ? (given as readonly Value[]) : [given as Value];
    if (values.length !== inputs.length)
      throw typeError({ op, layer: name, expected: `${inputs.length} inputs`, actual: String(values.length) });
    values.forEach((value, i) => {
      checkValue(value, op);
      const { shape, dtype } = inputs[i];
      if (value.dtype !== dtype || value.shape.length !== shape.length)
        throw new ShapeError({
          op,
          layer: name,
          expected: `${dtype} ${show(shape)}`,
          actual: `${value.dtype} ${show(value.shape)}`,
        });
    });
    return apply(values)[0];
  };
  return Object.assign(applied, { layers });
}

/** Part of a model's graph, to be made again of other values. */
interface Transplant {
  /** The model's inputs that it needs. */
  readonly inputs: readonly Value[];
  /** Names of its layers. */
  readonly layers: readonly string[];
  /** Its states, which begin with the weights as they are now; uses of it share them. */
  readonly states: readonly Value[];
  /** @param values one for each of the inputs, with any batch size */
  apply(values: readonly Value[]): readonly Value[];
}

/** What leads to `targets`, made of leaves of its own. @param named what the names of layers and of weights without one become */
export function transplant(model: Model, targets: readonly Value[], named: (own: string) => string): Transplant {
  const nodes = topological(targets);
  const inputs = model.graph.inputs.filter(({ node }) => nodes.includes(node));
  const infos = new Map<LayerInfo, LayerInfo>();
  for (const { layer } of nodes) {
    if (layer === undefined || infos.has(layer)) continue;
    const own = model.names.layers.get(layer) ?? layer.name ?? layer.kind;
    infos.set(layer, { kind: layer.kind, name: named(own) });
  }
  // New leaves, so that all that is made of them is new too: no node is in two models.
  const leaves = new Map(
    nodes.flatMap((node): [Value, Value][] => {
      const [before] = node.outputs;
      if (node.inputs.length > 0 || inputs.includes(before)) return [];
      const own = node.op === stateOp && node.layer === undefined;
      const attrs = own ? { ...node.attrs, name: named(String(node.attrs.name)) } : node.attrs;
      const data = node.op === stateOp ? model.store.read(before) : node.data;
      const value = leaf(node.op, attrs, before, data);
      value.node.layer = node.layer && infos.get(node.layer);
      return [[before, value]];
    }),
  );
  return {
    inputs,
    layers: [...infos.values()].map((info) => info.name as string),
    states: [...leaves.values()].filter(isState),
    apply: (values) =>
      rewrite({ inputs: [], outputs: targets, effects: [] }, (node, ins) => {
        const at = inputs.findIndex((input) => input.node === node);
        if (at >= 0) return [values[at]];
        if (node.inputs.length === 0) return node.outputs.map((value) => leaves.get(value) as Value);
        const made = remake(node, ins);
        for (const value of made) value.node.layer = node.layer && infos.get(node.layer);
        return made;
      }).outputs,
  };
}

function onlyOutput({ graph, outputs }: Model): Value {
  if (graph.outputs.length === 1) return graph.outputs[0];
  const expected = `the layer to end with, of ${outputs.map((output) => output.name).join(", ")}`;
  throw typeError({ op: "asLayer", expected, actual: "none for a model of several outputs" });
}

/** What others read of a layer, in the model's graph or what that is at another batch size. */
export function resultOf({ graph, names }: Pick<Model, "graph" | "names">, to: string, op: string): Value {
  const layer = [...names.layers].find(([, name]) => name === to)?.[0];
  if (layer === undefined) {
    const expected = `a layer of ${[...names.layers.values()].join(", ")}`;
    throw typeError({ op, expected, actual: told(to) });
  }
  const isOwn = ({ node }: Value) => node.layer === layer && node.op !== stateOp;
  const read = topological(graph.outputs).flatMap((node) => (node.layer === layer ? [] : node.inputs.filter(isOwn)));
  const results = new Set([...read, ...graph.outputs.filter(isOwn)]);
  if (results.size === 1) return [...results][0];
  const actual = `${results.size} of "${to}"`;
  throw typeError({ op, expected: "a layer with one result", actual });
}

export interface TransferOptions {
  /** Only weights of these layers; default all that both have. */
  layers?: readonly string[];
  /** Leave weights alone whose shapes differ, instead of throwing; default false. */
  skipMismatch?: boolean;
}

/**
 * Copies weights to a model by name, as Keras' `load_weights(by_name=True)`; weights that only one of them has are left alone.
 * @param from a model, or weights by name (of `weights()`, or read from a file)
 * @returns the names of the weights that were copied
 * @throws {ShapeError} that lists every weight whose shape differs; {RangeError} when no name is in both, or a layer in `layers` is not: then
 *   nothing has changed
 * @example
 * const [a, b] = [await build(input([4]), dense(3, { name: "d" })), await build(input([4]), dense(3, { name: "d" }), { seed: 1 })];
 * transferWeights(a, b); // ["d/kernel", "d/bias"]
 */
export function transferWeights(
  from: Model | Readonly<Record<string, Tensor>>,
  to: Model,
  options: TransferOptions = {},
): string[] {
  const op = "transferWeights";
  checkModel(to, op);
  checkKeys(op, options, ["layers", "skipMismatch"]);
  const { layers, skipMismatch = false } = options;
  if (typeof from !== "object" || from === null)
    throw typeError({ op, expected: "a model or weights by name", actual: told(from) });
  if (layers !== undefined && !Array.isArray(layers))
    throw typeError({ op, expected: "layers to be a list of names", actual: told(layers) });
  const given = typeof from.weights === "function" ? (from as Model).weights() : (from as Record<string, Tensor>);
  const own = to.weights();
  const ofLayer = (layer: string) => (name: string) => name.startsWith(`${layer}/`);
  const both = Object.keys(own).filter(
    (name) => Object.hasOwn(given, name) && (layers === undefined || layers.some((layer) => ofLayer(layer)(name))),
  );
  const missing = layers?.find((layer) => !both.some(ofLayer(layer)));
  if (missing !== undefined)
    throw rangeError({ op, expected: "layers with weights in both models", actual: JSON.stringify(missing) });
  if (both.length === 0) {
    const expected = `weights of names that the model has (${Object.keys(own).join(", ")})`;
    throw rangeError({ op, expected, actual: Object.keys(given).join(", ") || "none" });
  }
  const wrong = both.filter((name) => !sameShape(given[name].shape, own[name].shape));
  if (wrong.length > 0 && !skipMismatch) {
    const each = (weights: Readonly<Record<string, Tensor>>) =>
      wrong.map((name) => `${name} ${show(weights[name].shape)}`).join(", ");
    throw new ShapeError({ op, expected: each(own), actual: each(given) });
  }
  const copied = both.filter((name) => !wrong.includes(name));
  to.setWeights(Object.fromEntries(copied.map((name) => [name, given[name]])));
  return copied;
}
