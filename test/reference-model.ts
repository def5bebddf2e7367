// A model, an optimizer and a loss from the meta.json of a reference trajectory: layers with Keras' names and options.

import * as lw from "../src/index.js";
import {
  activation,
  add,
  build,
  input,
  type Layer,
  type Model,
  matmul,
  sequential,
  type Tensor,
  tensor,
  type Value,
} from "../src/index.js";
import {
  adam,
  adamW,
  binaryCrossentropy,
  type Loss,
  meanSquaredError,
  type Optimizer,
  rmsprop,
  sgd,
  sparseCategoricalCrossentropy,
} from "../src/train/index.js";

// biome-ignore lint/suspicious/noExplicitAny: JSON of as many shapes as there are layers
type Json = Record<string, any>;

export interface Meta {
  readonly input_shape: number[];
  readonly model: readonly (Json & { type: string; name: string; in?: string[] })[];
  readonly loss: { readonly type: string; readonly from_logits?: boolean };
}

const camelCase = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Options in camel case, without those that are arguments. */
const optionsOf = (layer: Json, ...left: string[]): Json =>
  Object.fromEntries(
    Object.entries(layer)
      .filter(([key]) => !["type", "in", ...left].includes(key))
      .map(([key, value]) => [camelCase(key), value]),
  );

const layers: Record<string, (layer: Json) => Layer> = {
  AveragePooling1D: (l) => lw.averagePooling1d(l.pool_size, optionsOf(l, "pool_size")),
  AveragePooling2D: (l) => lw.averagePooling2d(l.pool_size, optionsOf(l, "pool_size")),
  BatchNormalization: (l) => lw.batchNormalization(optionsOf(l, "activation")),
  Conv1D: (l) => lw.conv1d(l.filters, l.kernel_size, optionsOf(l, "filters", "kernel_size")),
  Conv2D: (l) => lw.conv2d(l.filters, l.kernel_size, optionsOf(l, "filters", "kernel_size")),
  Dense(l) {
    const tanhForm = (x: Value) => lw.gelu(x, { approximate: true });
    return lw.dense(l.units, {
      ...optionsOf(l, "units"),
      ...(l.activation === "gelu_tanh" && { activation: tanhForm }),
    });
  },
  PositionEmbedding: (l) => {
    const positions = lw.positionEmbedding(l.length, { name: l.name });
    return (x) => add(x, positions(x));
  },
  MultiHeadAttention: (l) => (x) => {
    const attention = lw.multiHeadAttention(l.num_heads, x.shape[2] / l.num_heads, { name: l.name });
    return attention(x, x, x, { useCausalMask: l.causal });
  },
  DepthwiseConv2D: (l) => lw.depthwiseConv2d(l.kernel_size, optionsOf(l, "kernel_size")),
  Embedding: (l) => lw.embedding(l.input_dim, l.output_dim, optionsOf(l, "input_dim", "output_dim")),
  Flatten: (l) => lw.flatten({ name: l.name }),
  GlobalAveragePooling1D: (l) => lw.globalAveragePooling1d(optionsOf(l)),
  GlobalAveragePooling2D: (l) => lw.globalAveragePooling2d(optionsOf(l)),
  GlobalMaxPooling2D: (l) => lw.globalMaxPooling2d(optionsOf(l)),
  GRU: (l) => lw.gru(l.units, optionsOf(l, "units")),
  LSTM: (l) => lw.lstm(l.units, optionsOf(l, "units")),
  LayerNormalization: (l) => lw.layerNormalization(optionsOf(l)),
  MaxPooling2D: (l) => lw.maxPooling2d(l.pool_size, optionsOf(l, "pool_size")),
};

/** Layer types of a model that cannot be made. */
export const unknownLayers = ({ model }: Meta): string[] =>
  model
    .map(({ type }) => type)
    .filter((type) => type !== "Add" && type !== "TiedDense" && !Object.hasOwn(layers, type));

/** The table of an embedding, from its result. */
const tableOf = (embedded: Value): Value => embedded.node.inputs[0];

/** Reference weights under the names, and in the shapes, of the model's own. */
export function weightsFor(model: Model, given: Record<string, Tensor>): Record<string, Tensor> {
  const own = Object.entries(model.weights());
  return Object.fromEntries(
    own.map(([name, { shape }]) => [name, tensor(given[name.replace("attention_output", "output")].data, [...shape])]),
  );
}

export function modelOf({ input_shape, model }: Meta): Promise<Model> {
  const x = input(input_shape, { dtype: model[0].type === "Embedding" ? "int32" : "float32" });
  const values = new Map<string, Value>([["input", x]]);
  let last = x;
  for (const { in: names, ...each } of model) {
    const inputs = names?.map((name) => values.get(name) as Value) ?? [last];
    const fused = each.type === "BatchNormalization" ? activation(each.activation ?? "linear") : (y: Value) => y;
    last =
      each.type === "TiedDense"
        ? matmul(inputs[0], tableOf(values.get(each.tied_to.split("/")[0]) as Value), { transposeB: true })
        : each.type === "Add"
          ? activation(each.activation ?? "linear")(inputs.reduce(add))
          : sequential(layers[each.type](each), fused)(inputs[0]);
    values.set(each.name, last);
  }
  return build(x, last);
}

export function optimizerOf({ type, ...options }: Json): Optimizer {
  const { beta_1, beta_2, global_clipnorm, ...rest } = options;
  const given = optionsOf({ ...rest, ...(beta_1 !== undefined && { beta1: beta_1, beta2: beta_2 }) });
  if (type === "sgd") return sgd(given);
  if (type === "adam") return adam(given);
  if (type === "adamw") return adamW({ ...given, globalClipNorm: global_clipnorm });
  if (type === "rmsprop") return rmsprop(given);
  throw new Error(`no optimizer ${type}`);
}

export function lossOf({ type, from_logits: fromLogits = false }: Meta["loss"]): Loss {
  if (type === "mse") return meanSquaredError();
  if (type === "sparse_categorical_crossentropy") return sparseCategoricalCrossentropy({ fromLogits });
  if (type === "binary_crossentropy") return binaryCrossentropy({ fromLogits });
  throw new Error(`no loss ${type}`);
}
