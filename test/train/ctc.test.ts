// The loss `ctc` in training: what it refuses, masks, and that a model learns to spell.
import { describe, expect, test } from "vitest";
import {
  build,
  dense,
  input,
  lstm,
  type Model,
  masking,
  sequential,
  softmax,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { adam, ctc, evaluate, fit } from "../../src/train/index.js";
import { numbers } from "../oracle/array.js";
import { ctc as oracle } from "../oracle/ctc.js";

const judged = (model: Model, x: Tensor, y: Tensor) => evaluate(model, { x, y }, { loss: "ctc" });
const scores = numbers([2, 5, 4], 3, -2, 2);
const x = tensor(Float32Array.from(scores.data), [2, 5, 4]);
const labels = tensor([1, 2, 2, 0], [2, 2], "int32");

/** Logarithms of softmax along the last axis. */
const logs = (steps: number) => {
  const data = new Float64Array(2 * steps * 4);
  for (let b = 0; b < 2; b++)
    for (let t = 0; t < steps; t++) {
      const row = [0, 1, 2, 3].map((k) => scores.data[(b * 5 + t) * 4 + k]);
      const all = Math.log(row.reduce((sum, v) => sum + Math.exp(v), 0));
      for (let k = 0; k < 4; k++) data[(b * steps + t) * 4 + k] = row[k] - all;
    }
  return { shape: [2, steps, 4], data };
};
const expected = (steps = 5): number => {
  const { data } = oracle(logs(steps), { shape: [2, 2], data: Float64Array.from(labels.data) });
  return (data[0] + data[1]) / 2;
};

test("ctc is of scores, also where a softmax follows them", async () => {
  const given = input([5, 4]);
  for (const layer of [(v: typeof given) => v, softmax])
    expect((await judged(await build(given, layer(given)), x, labels)).loss).toBeCloseTo(expected(), 5);
});

test("ctc counts as many steps as a mask lets pass", async () => {
  const padded = tensor(new Float32Array(2 * 8 * 4), [2, 8, 4]);
  for (let b = 0; b < 2; b++) padded.data.set(x.data.slice(b * 20, b * 20 + 20), b * 32);
  const model = await build(input([8, 4]), masking());
  expect((await judged(model, padded, labels)).loss).toBeCloseTo(expected(), 5);
});

describe("ctc refuses", () => {
  const refuse = async (y: Tensor, message: string) =>
    expect(judged(await build(input([5, 4]), dense(4)), x, y)).rejects.toThrow(message);
  test("labels that are no class", () =>
    refuse(tensor([1, 4, 1, 0], [2, 2], "int32"), "ctc: expected integer labels in [0, 3], got 4 (sample 0)"));
  test("blanks between labels", () =>
    refuse(tensor([1, 2, 0, 3], [2, 2], "int32"), "expected 0 only after the last label, got 0,3 (sample 1)"));
  test("more labels than steps have room for", () =>
    refuse(
      tensor([1, 1, 1, 0, 1, 2, 2, 2], [2, 4], "int32"),
      "expected labels that fit into 5 steps, got 4, which need 6 (sample 1)",
    ));
  test("other shapes", () => refuse(tensor([1, 2], [2], "int32"), "labels [batch, most] and predictions"));
});

test("an LSTM learns to spell from labels without times", async () => {
  // Each label is said for some steps, with silence between: which label a step has is nowhere told.
  const [count, steps] = [32, 12];
  const data = tensor(new Float32Array(count * steps * 3), [count, steps, 3]);
  const y = tensor(new Int32Array(count * 2), [count, 2], "int32");
  for (let i = 0; i < count; i++) {
    const spelled = [i % 3, Math.floor(i / 3) % 3];
    spelled.forEach((label, k) => {
      y.data[2 * i + k] = label + 1;
      for (let t = 0; t < 2 + (i % 3); t++) data.data[(i * steps + 6 * k + 1 + t) * 3 + label] = 1;
    });
  }
  const model = await build(input([steps, 3]), sequential(lstm(12, { returnSequences: true }), dense(4)), { seed: 1 });
  await fit(model, { x: data, y }, { loss: ctc(), optimizer: adam({ learningRate: 0.03 }), epochs: 40, batchSize: 8 });
  const said = (model.predict(data) as Tensor).data;
  const spelled = Array.from({ length: count }, (_, i) => {
    const best = Array.from({ length: steps }, (_, t) => {
      const row = [0, 1, 2, 3].map((k) => said[(i * steps + t) * 4 + k]);
      return row.indexOf(Math.max(...row));
    });
    return best.filter((label, t) => label !== 0 && label !== best[t - 1]).join("");
  });
  expect(spelled).toEqual(Array.from({ length: count }, (_, i) => `${y.data[2 * i]}${y.data[2 * i + 1]}`));
});
