// A loss that is not finite: which step, and where it began; and the weights are as before that step.
import { describe, expect, test } from "vitest";
import { build, dense, div, input, mul, sequential, tensor } from "../../src/index.js";
import { fit, meanSquaredError, sgd, trainer } from "../../src/train/index.js";
import { classifier, loss, points } from "./points.js";

const caught = (f: () => unknown): RangeError & { layer?: string; expected?: string; actual?: string } => {
  try {
    f();
  } catch (error) {
    return error as RangeError;
  }
  throw new Error("nothing was thrown");
};

describe("a loss that is not finite", () => {
  test("names step, op, layer, shape and place of the first number that is not", async () => {
    const model = await build(
      input([2]),
      sequential(
        dense(3, { name: "first", kernelInitializer: "ones" }),
        dense(1, { name: "second", kernelInitializer: "ones" }),
      ),
    );
    const kernel = new Float32Array(6).fill(1);
    kernel[4] = 3e38;
    model.setWeights({ "first/kernel": tensor(kernel, [2, 3]) });
    const before = model.weights();
    const { step } = trainer(model, { optimizer: "sgd", loss: "mse" });
    const error = caught(() =>
      step({
        x: tensor([
          [1, 1],
          [1, 2],
        ]),
        y: tensor([[0], [0]]),
      }),
    );
    expect(error).toBeInstanceOf(RangeError);
    expect(error.layer).toBe("first");
    expect(error.message).toBe(
      'trainer "first": expected a finite loss at step 1, got Infinity; the first number that is not finite is Infinity in the result of ' +
        "gemm [2, 3] at [1, 1]; a smaller learning rate or clipping may help",
    );
    expect(model.weights()).toEqual(before);
  });

  test("is found in a loss of one's own", async () => {
    const model = await build(input([2]), dense(1));
    const { step } = trainer(model, { optimizer: "sgd", loss: (t, p) => div(mul(p, 0), mul(t, 0)) });
    expect(caught(() => step({ x: tensor([[1, 1]]), y: tensor([[1]]) })).message).toContain(
      "NaN in the result of div [1, 1]",
    );
  });

  test("is found in a weight that was not finite already", async () => {
    const model = await build(input([2]), dense(1, { name: "d" }));
    model.setWeights({ "d/bias": tensor([Number.NaN]) });
    const { step } = trainer(model, { optimizer: "sgd", loss: meanSquaredError() });
    const { message } = caught(() => step({ x: tensor([[1, 1]]), y: tensor([[1]]) }));
    expect(message).toContain('trainer "d/bias"');
    expect(message).toContain("NaN in the weight itself at [0] of [1]");
  });

  test("of a later step is told with its number, and fit puts the weights back", async () => {
    const model = await classifier();
    const before = model.weights();
    const run = fit(model, points(64), { optimizer: sgd({ learningRate: 1e30 }), loss, epochs: 9 });
    await expect(Promise.resolve(run)).rejects.toThrow(
      /^fit "\w+(\/\w+)?": expected a finite loss at step [23], got (NaN|Infinity)/,
    );
    expect(model.weights()).toEqual(before);
  });

  test("leaves a trainer at the last good step, so that it can go on with a smaller rate", async () => {
    const model = await classifier();
    const training = trainer(model, { optimizer: sgd({ learningRate: 0.01 }), loss });
    training.step(points(8));
    const good = model.weights();
    model.setWeights({ "dense/bias": tensor(new Float32Array(16).fill(Number.NaN)) });
    expect(() => training.step(points(8))).toThrow("finite loss at step 2");
    model.setWeights(good);
    expect(training.step(points(8)).loss).toBeGreaterThan(0);
    expect(training.steps).toBe(2);
  });
});
