// Training trajectories against PyTorch's float64 runs in ../shared/reference/training, within the tolerances advised there.
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Model, type Tensor, tensor } from "../src/index.js";
import { sparseCategoricalCrossentropy, trainer } from "../src/train/index.js";
import { cnn } from "./cnn.js";

const folder = new URL("../../shared/reference/training/", import.meta.url);
const present = existsSync(folder) || process.env.CI !== undefined;

interface Stored {
  readonly section: string;
  readonly name: string;
  readonly shape: number[];
  readonly dtype: "f32" | "i32";
  readonly offset: number;
  readonly bytes: number;
}

interface Run {
  readonly loss_float64: number[];
  readonly tol_loss_rel: number;
  readonly tensors: Record<string, { tol_max_abs: number }>;
}

function open(name: string) {
  const at = new URL(`${name}/`, folder);
  const meta = JSON.parse(readFileSync(new URL("meta.json", at), "utf8")) as {
    file: string;
    tensors: Stored[];
    runs: Record<string, Run>;
  };
  const bytes = readFileSync(new URL(meta.file, at));
  const read = ({ shape, dtype, offset, bytes: length }: Stored): Tensor => {
    const copy = bytes.buffer.slice(bytes.byteOffset + offset, bytes.byteOffset + offset + length) as ArrayBuffer;
    return tensor(dtype === "i32" ? new Int32Array(copy) : new Float32Array(copy), shape);
  };
  const section = (wanted: string): Record<string, Tensor> =>
    Object.fromEntries(meta.tensors.filter((t) => t.section === wanted).map((t) => [t.name, read(t)]));
  return { section, run: meta.runs.keras };
}

const largestDifference = (a: Tensor, b: Tensor): number =>
  Array.from(a.data).reduce((worst, x, i) => Math.max(worst, Math.abs(x - b.data[i])), 0);
const sliceOf = ({ data, shape }: Tensor, step: number): Tensor => {
  const size = data.length / shape[0];
  return tensor(data.slice(step * size, (step + 1) * size), shape.slice(1));
};

const cases: { name: string; model: () => Promise<Model>; optimizer: "adam" }[] = [
  { name: "cnn_mnist_adam", model: () => cnn({ logits: true }), optimizer: "adam" },
];

if (!present) console.warn(`SKIPPED ${cases.length * 3} tests: no reference trajectories in ${folder.pathname}`);

describe.skipIf(!present).each(cases)("$name", ({ name, model: make, optimizer }) => {
  const reference = present ? open(name) : undefined;

  async function trained() {
    const { section, run } = reference as ReturnType<typeof open>;
    const model = await make();
    model.setWeights(section("init"));
    const { x, y } = section("batches");
    const { step } = trainer(model, { optimizer, loss: sparseCategoricalCrossentropy({ fromLogits: true }) });
    const losses = run.loss_float64.map((_, i) => step({ x: sliceOf(x, i), y: sliceOf(y, i) }).loss);
    return { model, losses, run, section };
  }

  test("follows the loss of every step", async () => {
    const { losses, run } = await trained();
    losses.forEach((loss, i) => {
      expect(Math.abs(loss - run.loss_float64[i]), `step ${i}`).toBeLessThanOrEqual(
        run.tol_loss_rel * run.loss_float64[i],
      );
    });
  });

  test("ends with the same weights", async () => {
    const { model, run, section } = await trained();
    const final = section("final/keras");
    const weights = model.weights();
    expect(Object.keys(weights).length).toBeGreaterThan(0);
    for (const [weight, values] of Object.entries(weights)) {
      expect(largestDifference(values, final[weight]), weight).toBeLessThanOrEqual(run.tensors[weight].tol_max_abs);
    }
  });

  test("predicts the same with them", async () => {
    const { model, run, section } = await trained();
    const prediction = model.predict(sliceOf(section("batches").x, 0)) as Tensor;
    expect(largestDifference(prediction, section("final/keras").eval_output)).toBeLessThanOrEqual(
      run.tensors.eval_output.tol_max_abs,
    );
  });
});
