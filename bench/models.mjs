// Rows for whole models: the Keras CNN, predicting and learning.
import { tensor } from "lanewise";
import { trainer } from "lanewise/train";
import { flops, images, labels } from "./cnn.mjs";
import { cnn } from "./model.mjs";

/**
 * Rows to measure that `wanted` accepts: `samples` a call, and the `flops` that it cannot do without.
 * @param how options of `build`
 */
export async function modelRows(wanted = () => true, how = {}) {
  const rows = await Promise.all([predict(1, how), predict(32, how), step(32, how), step(128, how)]);
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
