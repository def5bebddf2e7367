// What int8 costs in accuracy, on the data of ../shared: the CNN of the goals on all 10,000 test images of MNIST.
import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { quantize } from "../../src/compress/index.js";
import { idx } from "../../src/data/index.js";
import * as l from "../../src/index.js";
import { build, input, save, sequential, type Tensor, tensor } from "../../src/index.js";
import { fit } from "../../src/train/index.js";

const folder = new URL("../../../shared/data/mnist/", import.meta.url);
const present = existsSync(folder);
if (!present) console.warn("accuracy of int8: ../shared/data/mnist is not there, 1 test is skipped");

/** The first `count` images of a part, from 0 to 1, and their labels. */
async function mnist(part: string, count: number): Promise<{ x: Tensor; y: Tensor }> {
  const read = (what: string) => idx(gunzipSync(readFileSync(new URL(`${part}-${what}-ubyte.gz`, folder))));
  const [images, labels] = await Promise.all([read("images-idx3"), read("labels-idx1")]);
  return {
    x: tensor(
      Float32Array.from((images.data as Uint8Array).subarray(0, count * 784), (v) => v / 255),
      [count, 28, 28, 1],
    ),
    y: tensor(Int32Array.from((labels.data as Uint8Array).subarray(0, count)), [count]),
  };
}

const classes = ({ data, shape: [n, k] }: Tensor): number[] =>
  Array.from({ length: n }, (_, i) => {
    let best = 0;
    for (let j = 1; j < k; j++) if (data[i * k + j] > data[i * k + best]) best = j;
    return best;
  });

test.skipIf(!present)(
  "MNIST: each kind of int8 within 0.2 points of float, at most 27 % of its bytes",
  async () => {
    const model = await build(
      input([28, 28, 1]),
      sequential(
        l.conv2d(32, 3, { activation: "relu" }),
        l.maxPooling2d(2),
        l.conv2d(64, 3, { activation: "relu" }),
        l.maxPooling2d(2),
        l.flatten(),
        l.dense(64, { activation: "relu" }),
        l.dense(10, { activation: "softmax" }),
      ),
      { seed: 1 },
    );
    const [train, held] = [await mnist("train", 6000), await mnist("t10k", 10000)];
    await fit(model, train, { epochs: 1, batchSize: 32, optimizer: "adam", loss: "sparseCategoricalCrossentropy" });
    const calibration = tensor(train.x.data.slice(0, 256 * 784), [256, 28, 28, 1]);
    const expected = classes(model.predict(held.x) as Tensor);
    const right = (found: number[]) => found.filter((c, i) => c === held.y.data[i]).length;
    expect(right(expected)).toBeGreaterThan(9000);
    for (const options of [
      {},
      { method: "mse", equalize: true, biasCorrection: true },
      { activations: "float32" },
      { activations: "dynamic" },
    ] as const) {
      const small = await quantize(model, { calibration, ...options });
      const found = classes(small.predict(held.x) as Tensor);
      // 0.2 points of 10,000 images are 20; answers that change at all, to and fro, are not many more.
      const told = JSON.stringify(options);
      expect(Math.abs(right(found) - right(expected)), told).toBeLessThanOrEqual(20);
      expect(found.filter((c, i) => c !== expected[i]).length, told).toBeLessThanOrEqual(60);
      expect(save(small).length, told).toBeLessThanOrEqual(0.27 * save(model).length);
    }
  },
  600_000,
);
