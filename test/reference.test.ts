// Training trajectories against PyTorch's float64 runs in ../shared/reference/training, within the tolerances advised there.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Tensor, tensor } from "../src/index.js";
import { trainer } from "../src/train/index.js";
import { lossOf, type Meta, modelOf, optimizerOf, unknownLayers, weightsFor } from "./reference-model.js";

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
  readonly optimizer: { readonly type: string };
  readonly loss_float64: number[];
  readonly tol_loss_rel: number;
  readonly tensors: Record<string, { tol_max_abs: number }>;
}

function open(name: string) {
  const at = new URL(`${name}/`, folder);
  const meta = JSON.parse(readFileSync(new URL("meta.json", at), "utf8")) as Meta & {
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
  return { meta, section, run: meta.runs.keras };
}

const largestDifference = (a: Tensor, b: Tensor): number =>
  Array.from(a.data).reduce((worst, x, i) => Math.max(worst, Math.abs(x - b.data[i])), 0);
const sliceOf = ({ data, shape }: Tensor, step: number): Tensor => {
  const size = data.length / shape[0];
  return tensor(data.slice(step * size, (step + 1) * size), shape.slice(1));
};

const all = present ? readdirSync(folder, { withFileTypes: true }).filter((each) => each.isDirectory()) : [];
const cases = all.map(({ name }) => ({ name, missing: present ? unknownLayers(open(name).meta) : [] }));
const known = cases.filter(({ missing }) => missing.length === 0);

if (!present) console.warn(`SKIPPED all training trajectories: nothing in ${folder.pathname}`);
for (const { name, missing } of cases) {
  if (missing.length > 0) console.warn(`training trajectory ${name} waits for ${[...new Set(missing)].join(", ")}`);
}

test.skipIf(!present)("there are trajectories that can be run", () => {
  expect(known.map(({ name }) => name)).toContain("resnet_bn_nesterov");
});

describe.each(known)("$name", ({ name }) => {
  async function trained() {
    const { meta, section, run } = open(name);
    const model = await modelOf(meta);
    model.setWeights(weightsFor(model, section("init")));
    const { x, y } = section("batches");
    const { step } = trainer(model, { optimizer: optimizerOf(run.optimizer), loss: lossOf(meta.loss) });
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
    const weights = model.weights();
    const final = weightsFor(model, section("final/keras"));
    expect(Object.keys(weights).length).toBeGreaterThan(0);
    for (const [weight, values] of Object.entries(weights)) {
      expect(largestDifference(values, final[weight]), weight).toBeLessThanOrEqual(
        run.tensors[weight.replace("attention_output", "output")].tol_max_abs,
      );
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
