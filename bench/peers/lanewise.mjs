// Lanewise itself, as an application uses it.
import { prepare } from "../kernels.mjs";
import { cnn } from "../model.mjs";

export const name = "lanewise";

export async function op(row) {
  const { run, read } = await prepare(row);
  run();
  return { run, read };
}

export async function int8(row) {
  const { prepare } = await import("../kernels-int8.mjs");
  const { run, read } = await prepare(row);
  run();
  return { run, read };
}

export async function predict({ images }) {
  const model = await cnn();
  const run = () => model.predict(images);
  return { run, read: () => run().data };
}

export async function train({ batch }) {
  const { trainingStep } = await import("../models.mjs");
  const step = trainingStep(await cnn(), batch);
  return { run: step, read: () => [step().loss] };
}
