// Lanewise itself, as an application uses it.
import { cnn } from "../model.mjs";

export const name = "lanewise";

export async function prepare({ images }) {
  const model = await cnn();
  return () => model.predict(images);
}
