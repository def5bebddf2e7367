// Lanewise itself, as an application uses it.
import { cnn } from "../model.mjs";

export const name = "lanewise";

export async function predict({ images }) {
  const model = await cnn();
  return () => model.predict(images);
}

export async function train({ batch }) {
  const { trainingStep } = await import("../models.mjs");
  const step = trainingStep(await cnn(), batch);
  return () => ({ data: [step().loss] });
}
