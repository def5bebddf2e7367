// Rows for whole models: the Keras CNN, predicting and learning, and nanoGPT learning.
import { tensor } from "lanewise";
import { trainer } from "lanewise/train";
import { gpt, loss, optimizer, whole } from "../examples/gpt/model.mjs";
import { flops, images, labels } from "./cnn.mjs";
import { cnn } from "./model.mjs";

/**
 * Rows to measure that `wanted` accepts: `samples` a call, and the `flops` that it cannot do without.
 * @param how options of `build`
 */
export async function modelRows(wanted = () => true, how = {}) {
  const rows = await Promise.all([predict(1, how), predict(32, how), step(32, how), step(128, how), gptStep(how)]);
  return rows
    .flat()
    .map((row) => ({ section: "model", ...row }))
    .filter(wanted);
}

async function predict(batch, how) {
  const model = await cnn(how);
  const x = images(batch);
  const session = model.session(batch);
  const work = { samples: batch, flops: batch * flops.forward };
  return [
    { name: `Keras CNN, predict batch ${batch}`, ...work, run: () => model.predict(x) },
    {
      name: `Keras CNN, session batch ${batch}`,
      ...work,
      run() {
        session.inputs[0].set(x);
        session.run();
      },
    },
  ];
}

async function step(batch, how) {
  const run = await trainingStep(await cnn(how), batch);
  return [{ name: `Keras CNN, training step batch ${batch}`, samples: batch, flops: batch * flops.step, run }];
}

/** One step of Adam on cross-entropy, as a function to call. */
export function trainingStep(model, batch) {
  const { step } = trainer(model, { optimizer: "adam", loss: "sparseCategoricalCrossentropy" });
  const data = { x: tensor(images(batch), [batch, 28, 28, 1]), y: tensor(labels(batch), [batch], "int32") };
  return () => step(data);
}

const VOCABULARY = 65;

async function gptStep(how) {
  const { batch, block, layers, features } = whole;
  const matrices = layers * (4 * features ** 2 + 8 * features ** 2) + VOCABULARY * features;
  const pairs = (batch * block * (block + 1)) / 2; // of a query and a key that it sees
  const attention = layers * features * pairs * 2 * (2 + 5); // two products there, five back, where scores are made again
  const work = { samples: batch, flops: 6 * matrices * batch * block + attention };
  return [{ name: "nanoGPT, one iteration", ...work, run: await gptIteration(how) }];
}

/** One iteration of nanoGPT's configuration for a CPU, as a function to call. */
export async function gptIteration(how) {
  const model = await gpt(whole, VOCABULARY, 0, how);
  const { step } = trainer(model, { optimizer: optimizer(model, whole), loss });
  const { batch, block } = whole;
  const [x, y] = [7919, 104729].map((prime) =>
    tensor(
      Int32Array.from({ length: batch * block }, (_, i) => (i * prime) % VOCABULARY),
      [batch, block],
    ),
  );
  return Object.assign(() => step({ x, y }), { model });
}
