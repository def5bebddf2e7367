// @ts-check
// `npm run example:gpt`: a transformer that writes one character after the other, with the sizes, optimizer and schedule that nanoGPT
// (https://github.com/karpathy/nanoGPT) has for a CPU. The text comes from text.mjs.

import { tensor } from "lanewise";
import { evaluate, trainer } from "lanewise/train";
import { example, parameters } from "../common/example.mjs";
import { gpt, loss, optimizer, small, whole } from "./model.mjs";
import { draw, encoded, stored, written } from "./text.mjs";

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
    const { iterations, block, batch } = sizes;
    const { step } = trainer(model, { optimizer: optimizer(model, sizes), loss, seed });

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
    const judged = await evaluate(model, windows(validation, starts, block), { loss, batchSize: 12 });
    const sample = write(model, text, { block, length: quick ? 60 : 300, random });
    if (!process.argv.includes("--json")) console.error(`\n${sample}\n`);
    return {
      validationLoss: judged.loss,
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
