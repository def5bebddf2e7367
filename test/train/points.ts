// A small classification problem and models for it.
import { build, dense, dropout, input, type Model, sequential, tensor } from "../../src/index.js";

/** Points whose class is the largest of their first three coordinates. */
export function points(count: number) {
  const data = Float32Array.from({ length: count * 4 }, (_, i) => ((i * 7919 + 13) % 1009) / 1009);
  const labels = Int32Array.from({ length: count }, (_, i) => {
    const row = [...data.subarray(i * 4, i * 4 + 3)];
    return row.indexOf(Math.max(...row));
  });
  return { x: tensor(data, [count, 4]), y: tensor(labels) };
}

export const classifier = (rate = 0): Promise<Model> =>
  build(input([4]), sequential(dense(16, { activation: "relu" }), dropout(rate), dense(3, { activation: "softmax" })), {
    seed: 1,
  });

export const loss = "sparseCategoricalCrossentropy";
