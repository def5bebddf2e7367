// What every runtime does, and the hash of what came out: seeded weights, 30 training steps with dropout, an evaluation, a
// prediction and a saved file, and again what the file gives once loaded. Plain JavaScript on the built package.
import { sha256 } from "./sha256.mjs";

/**
 * @param lanewise, train, data the package's entries
 * @param options BuildOptions: `{ kernels }` runs another build of the kernels
 * @returns {Promise<{ hash: string, parts: Record<string, string> }>} one hash, and one of each part to find a difference by
 */
export async function scenario(lanewise, train, data, options = {}) {
  const { build, conv2d, dense, dropout, flatten, input, load, maxPooling2d, save, sequential } = lanewise;
  const network = sequential(
    conv2d(8, 3, { activation: "relu" }),
    maxPooling2d(2),
    conv2d(12, 3, { activation: "relu", padding: "same", strides: 2 }),
    flatten(),
    dropout(0.4),
    dense(24, { activation: "relu" }),
    dense(10, { activation: "softmax" }),
  );
  const model = await build(input([28, 28, 1]), network, { seed: 7, ...options });
  const initial = hashWeights(model);

  const training = data.digits({ count: 470, seed: 1 }); // 15 batches of 32, the last one of 22
  const test = data.digits({ count: 100, seed: 2 });
  const losses = [];
  const settings = { optimizer: "adam", loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] };
  const run = train.fit(model, training, { ...settings, epochs: 2, batchSize: 32, seed: 5 });
  for await (const step of run) losses.push(step.loss);
  const scores = await train.evaluate(model, test, { ...settings, batchSize: 32 });
  const file = save(model);
  const parts = {
    initial,
    losses: hashNumbers(losses),
    weights: hashWeights(model),
    scores: hashNumbers(
      Object.keys(scores)
        .sort()
        .map((name) => scores[name]),
    ),
    predictions: hashArray(model.predict(test.x).data),
    file: sha256(file),
  };

  const loaded = await load(file, options);
  const again = {
    ...parts,
    weights: hashWeights(loaded),
    predictions: hashArray(loaded.predict(test.x).data),
    file: sha256(save(loaded)),
  };
  for (const part of Object.keys(parts)) {
    if (parts[part] !== again[part]) throw new Error(`the ${part} differ after save and load`);
  }
  if (losses.length !== 30) throw new Error(`expected 30 training steps, got ${losses.length}`);
  if (!(losses[29] < losses[0])) throw new Error(`the loss went from ${losses[0]} to ${losses[29]}`);
  return { hash: hashText(JSON.stringify(parts)), parts };
}

function hashWeights(model) {
  const weights = model.weights();
  const names = Object.keys(weights).sort();
  return hashText(names.map((name) => `${name} [${weights[name].shape}] ${hashArray(weights[name].data)}`).join("\n"));
}

function hashArray({ buffer, byteOffset, byteLength }) {
  return sha256(new Uint8Array(buffer, byteOffset, byteLength));
}

function hashNumbers(numbers) {
  return hashArray(Float64Array.from(numbers));
}

function hashText(text) {
  return sha256(new TextEncoder().encode(text));
}
