// Models come and go without being disposed of, and many may live at once.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { build, dense, input, type Model, sequential, type Tensor } from "../../src/index.js";
import { fit } from "../../src/train/index.js";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const make = (seed: number): Promise<Model> =>
  build(input([256]), sequential(dense(256, { activation: "relu" }), dense(10, { activation: "softmax" })), { seed });

/** Bytes that the process holds outside the JavaScript heap, once all that can be freed was. */
async function held(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return process.memoryUsage().rss;
}

test("500 models built, trained, used and dropped leave memory flat", async () => {
  const x = { data: new Float32Array(256 * 8).fill(0.5), shape: [8, 256], dtype: "float32" } as const;
  const y = { data: new Int32Array(8), shape: [8], dtype: "int32" } as const;
  const once = async (seed: number) => {
    const model = await make(seed);
    await fit(model, { x, y }, { optimizer: "adam", loss: "sparseCategoricalCrossentropy" });
    return (model.predict(x) as Tensor).data[0];
  };
  for (let i = 0; i < 100; i++) await once(i);
  const before = await held();
  for (let i = 0; i < 400; i++) await once(i);
  const grown = (await held()) - before;
  // Each model takes 1.3 MB: kept, the 400 would be over 500 MB.
  expect(grown / 2 ** 20).toBeLessThan(64);
});

test("100 models alive at once all work", async () => {
  const models = await Promise.all(Array.from({ length: 100 }, (_, seed) => make(seed)));
  const x = new Float32Array(256).fill(0.25);
  const first = models.map((model) => [...(model.predict(x) as Tensor).data]);
  expect(new Set(first.map(String)).size).toBe(100);
  expect(models.map((model) => [...(model.predict(x) as Tensor).data])).toEqual(first);
});
