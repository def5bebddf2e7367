// @ts-check
// The transformer that gpt.mjs trains: nanoGPT's, with its optimizer and schedule.

import {
  add,
  build,
  dense,
  gather,
  input,
  layerNormalization,
  matmul,
  multiHeadAttention,
  parameter,
  positionEmbedding,
  sequential,
  tensor,
} from "lanewise";
import { adamW, cosineDecay, sparseCategoricalCrossentropy } from "lanewise/train";

/** nanoGPT's sizes for a CPU. */
export const whole = {
  layers: 4,
  heads: 4,
  features: 128,
  block: 64,
  batch: 12,
  iterations: 2000,
  rate: 1e-3,
  rampUp: 100,
};
/** Sizes for seconds. */
export const small = {
  layers: 2,
  heads: 2,
  features: 48,
  block: 32,
  batch: 12,
  iterations: 150,
  rate: 4e-3,
  rampUp: 10,
};

export const loss = sparseCategoricalCrossentropy({ fromLogits: true });

/**
 * As GPT-2, without biases: the table of characters is also the last layer's matrix, and the matrices that add to the residual sum begin
 * smaller, by the square root of how many there are.
 * @param {typeof whole} sizes @param {number} vocabulary @param {number} seed
 * @param {import("lanewise").BuildOptions} [how]
 */
export async function gpt({ layers, heads, features, block }, vocabulary, seed, how) {
  const normal = /** @type {const} */ ({ kind: "normal", mean: 0, std: 0.02 });
  const norm = () => layerNormalization({ epsilon: 1e-5, center: false });
  /** @param {number} units @param {"gelu"} [activation] */
  const linear = (units, activation) => dense(units, { activation, useBias: false, kernelInitializer: normal });
  const table = parameter([vocabulary, features], normal, { name: "characters" });
  const x = input([block], { dtype: "int32", name: "text" });
  const embedded = gather(table, x);
  let y = add(embedded, positionEmbedding(block, { initializer: normal })(embedded));
  for (let i = 0; i < layers; i++) {
    const attention = multiHeadAttention(heads, features / heads, { useBias: false, kernelInitializer: normal });
    const before = norm()(y);
    y = add(y, attention(before, before, before, { useCausalMask: true }));
    y = add(y, sequential(norm(), linear(4 * features, "gelu"), linear(features))(y));
  }
  const logits = matmul(norm()(y), table, { transposeB: true });
  const model = await build(x, logits, { ...how, seed, name: "gpt" });

  const share = 1 / Math.sqrt(2 * layers);
  const weights = model.weights();
  for (const [name, { data, shape }] of Object.entries(weights)) {
    const residual = name.endsWith("attention_output/kernel") || (shape[0] === 4 * features && shape[1] === features);
    if (residual)
      weights[name] = tensor(
        Float32Array.from(data, (w) => w * share),
        [...shape],
      );
  }
  model.setWeights(weights);
  return model;
}

/**
 * AdamW: its rate rises, then falls along a cosine to a tenth; matrices alone decay.
 * @param {import("lanewise").Model} model @param {typeof whole} sizes
 */
export function optimizer(model, { rate, rampUp, iterations }) {
  const vectors = Object.entries(model.weights()).filter(([, { shape }]) => shape.length === 1);
  return adamW({
    learningRate: cosineDecay(0, iterations - rampUp, { alpha: 0.1, warmupTarget: rate, warmupSteps: rampUp }),
    beta2: 0.99,
    epsilon: 1e-8,
    weightDecay: 0.1,
    excludeFromWeightDecay: vectors.map(([name]) => name),
    globalClipNorm: 1,
  });
}
