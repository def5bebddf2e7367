// @ts-check
// `npm run example:gpt`: a transformer that writes one character after the other, with the sizes, optimizer and schedule that nanoGPT
// (https://github.com/karpathy/nanoGPT) has for a CPU. The text comes from text.mjs.

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
import { adamW, cosineDecay, evaluate, sparseCategoricalCrossentropy, trainer } from "lanewise/train";
import { example, parameters } from "../common/example.mjs";
import { draw, encoded, stored, written } from "./text.mjs";

/** @typedef {import("lanewise").Value} Value */

const whole = { layers: 4, heads: 4, features: 128, block: 64, batch: 12, iterations: 2000, rate: 1e-3, rampUp: 100 };
const small = { layers: 2, heads: 2, features: 48, block: 32, batch: 12, iterations: 150, rate: 4e-3, rampUp: 10 };

await example(
  {
    name: "gpt",
    does: "Trains a small transformer on a text and lets it write some: nanoGPT's configuration for a CPU.",
    data: "a folder with input.txt, gzipped or not (tiny Shakespeare); default: sentences made up",
  },
  async ({ data, quick, seed }) => {
    const sizes = quick ? small : whole;
    const text = encoded(data === undefined ? written(seed, quick ? 40_000 : 400_000) : await stored(data));
    const split = Math.floor(0.9 * text.codes.length);
    const [train, validation] = [text.codes.subarray(0, split), text.codes.subarray(split)];

    const model = await gpt(sizes, text.characters.length, seed);
    const matrices = Object.entries(model.weights()).filter(([, { shape }]) => shape.length > 1);
    const others = Object.keys(model.weights()).filter((name) => !matrices.some(([matrix]) => matrix === name));
    const { rate, rampUp, iterations, block, batch } = sizes;
    const { step } = trainer(model, {
      optimizer: adamW({
        learningRate: cosineDecay(0, iterations - rampUp, { alpha: 0.1, warmupTarget: rate, warmupSteps: rampUp }),
        beta2: 0.99,
        epsilon: 1e-8,
        weightDecay: 0.1,
        excludeFromWeightDecay: others,
        globalClipNorm: 1,
      }),
      loss: sparseCategoricalCrossentropy({ fromLogits: true }),
      seed,
    });

    const start = performance.now();
    const random = draw(seed);
    let recent = 0;
    for (let i = 1; i <= iterations; i++) {
      const { loss } = step(
        windows(
          train,
          Array.from({ length: batch }, () => random(train.length - block)),
          block,
        ),
      );
      recent = i === 1 ? loss : 0.98 * recent + 0.02 * loss;
      if (i % Math.ceil(iterations / 20) === 0)
        console.error(`iteration ${i}/${iterations}  loss ${recent.toFixed(4)}  ${since(start).toFixed(1)} s`);
    }
    const training = since(start);

    const starts = Array.from({ length: Math.floor((validation.length - 1) / block) }, (_, i) => i * block);
    const { loss } = await evaluate(model, windows(validation, starts, block), {
      loss: sparseCategoricalCrossentropy({ fromLogits: true }),
      batchSize: 12,
    });
    const sample = write(model, text, { block, length: quick ? 60 : 300, random });
    if (!process.argv.includes("--json")) console.error(`\n${sample}\n`);
    return {
      validationLoss: loss,
      trainLoss: recent,
      parameters: parameters(model),
      iterations,
      characters: text.codes.length,
      vocabulary: text.characters.length,
      sample,
      times: { training, msPerIteration: (1000 * training) / iterations },
    };
  },
);

/** Seconds. @param {number} start */
function since(start) {
  return (performance.now() - start) / 1000;
}

/**
 * As GPT-2, without biases: the table of characters is also the last layer's matrix, and the matrices that add to the residual sum begin
 * smaller, by the square root of how many there are.
 * @param {typeof whole} sizes @param {number} vocabulary @param {number} seed
 */
async function gpt({ layers, heads, features, block }, vocabulary, seed) {
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
  const model = await build(x, logits, { seed, name: "gpt" });

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
 * Windows of a text and, for each place, the character that follows.
 * @param {Int32Array} text @param {readonly number[]} starts @param {number} block
 */
function windows(text, starts, block) {
  const [x, y] = [0, 1].map((ahead) => {
    const codes = new Int32Array(starts.length * block);
    starts.forEach((start, i) => {
      codes.set(text.subarray(start + ahead, start + ahead + block), i * block);
    });
    return tensor(codes, [starts.length, block]);
  });
  return { x, y };
}

/**
 * What the model writes after a line's end: each character drawn from the ten likeliest.
 * @param {import("lanewise").Model} model @param {{ codes: Int32Array, characters: readonly string[] }} text
 * @param {{ block: number, length: number, random: (below: number) => number }} options
 */
function write(model, { characters }, { block, length, random }) {
  const codes = [Math.max(0, characters.indexOf("\n"))];
  for (let i = 0; i < length; i++) {
    const seen = codes.slice(-block);
    const context = tensor(
      Int32Array.from({ length: block }, (_, at) => seen[at] ?? 0),
      [1, block],
    ); // nobody looks ahead
    const { data } = /** @type {import("lanewise").Tensor} */ (model.predict(context));
    const scores = Array.from(data.subarray((seen.length - 1) * characters.length, seen.length * characters.length));
    const likeliest = scores
      .map((score, code) => ({ score, code }))
      .sort((a, b) => b.score - a.score)
      .slice(0, 10);
    const weights = likeliest.map(({ score }) => Math.exp((score - likeliest[0].score) / 0.8));
    const at = (random(2 ** 24) / 2 ** 24) * weights.reduce((a, b) => a + b);
    let sum = 0;
    const chosen = likeliest.find((_, rank) => {
      sum += weights[rank];
      return at < sum;
    });
    codes.push((chosen ?? likeliest[0]).code);
  }
  return codes
    .slice(1)
    .map((code) => characters[code])
    .join("");
}
