// Models beyond a row of layers: branches, residuals, weights of one's own.
import { describe, expect, test } from "vitest";
import {
  add,
  build,
  dense,
  greater,
  input,
  load,
  matmul,
  mul,
  parameter,
  prelu,
  relu,
  save,
  type Tensor,
  tensor,
  type Value,
  where,
} from "../../src/index.js";
import { fit, sgd } from "../../src/train/index.js";

/** A layer as a plain function of Values. */
const scaled = (x: Value): Value =>
  add(mul(x, parameter([3], "ones", { name: "scale" })), parameter([3], "zeros", { name: "shift" }));

describe("parameter", () => {
  test("is a weight of the model, under its name", async () => {
    const model = await build(input([3]), scaled);
    expect(Object.keys(model.weights())).toEqual(["scale", "shift"]);
    expect((model.predict(Float32Array.of(1, 2, 3)) as Tensor).data).toEqual(Float32Array.of(1, 2, 3));
  });

  test("gets a number where several have its name", async () => {
    const x = input([2]);
    const model = await build(x, mul(mul(x, parameter([2], "ones")), parameter([2], "ones")));
    expect(Object.keys(model.weights())).toEqual(["parameter", "parameter_1"]);
  });

  test("is trained, unless it says otherwise, and is kept in files", async () => {
    const x = input([1]);
    const still = parameter([1], { kind: "constant", value: 2 }, { name: "still", trainable: false });
    const model = await build(x, add(mul(x, parameter([1], "ones", { name: "slope" })), still));
    const data = { x: tensor([[1], [2]]), y: tensor([[7], [12]]) };
    await fit(model, data, { optimizer: sgd({ learningRate: 0.1 }), loss: "mse", epochs: 200 });
    const { slope, still: kept } = model.weights();
    expect(slope.data[0]).toBeCloseTo(5, 3);
    expect(kept.data[0]).toBe(2);
    expect((await load(save(model))).weights()).toEqual(model.weights());
  });

  test("used twice is one weight", async () => {
    const x = input([2]);
    const tied = parameter([2, 2]);
    const model = await build(x, matmul(matmul(x, tied), tied, { transposeB: true }));
    expect(Object.keys(model.weights())).toEqual(["parameter"]);
  });
});

test("a residual connection adds what went around", async () => {
  const x = input([4]);
  const model = await build(x, add(x, relu(dense(4, { kernelInitializer: "zeros", name: "branch" })(x))));
  expect((model.predict(Float32Array.of(1, -2, 3, -4)) as Tensor).data).toEqual(Float32Array.of(1, -2, 3, -4));
});

test("what no output needs is neither computed nor a weight", async () => {
  const x = input([4]);
  dense(7, { name: "unused" })(x);
  const model = await build(x, dense(2, { name: "used" })(x));
  expect(Object.keys(model.weights())).toEqual(["used/kernel", "used/bias"]);
});

test("what is the same is computed once", async () => {
  const x = input([4]);
  const model = await build(x, add(relu(mul(x, x)), relu(mul(x, x))));
  expect(model.plan().calls.map(({ kernel }) => kernel)).toEqual(["f32_mul", "f32_relu", "f32_add"]);
});

test("what depends on constants and weights alone is computed once for given weights", async () => {
  const w = parameter([3], "ones", { name: "w" });
  const model = await build(input([3]), (x) => add(x, mul(mul(w, 2), 3)));
  expect(model.plan().calls.map(({ kernel, once }) => [kernel, once])).toEqual([
    ["f32_mul", true],
    ["f32_mul", true],
    ["f32_add", false],
  ]);
  model.predict(new Float32Array(3));
  model.setWeights({ w: tensor([1, 2, 3]) });
  expect((model.predict(new Float32Array(3)) as Tensor).data).toEqual(Float32Array.of(6, 12, 18));
});

test("values that are never alive together share memory", async () => {
  const model = await build(input([1000]), (x) =>
    [...Array(20)].reduce((value: Value) => dense(1000, { useBias: false })(value), x),
  );
  expect(model.plan().bytes.workspace).toBeLessThan(4 * 4096);
});

test("a profile names every call with time, speed and share", async () => {
  const model = await build(input([64]), dense(64, { activation: "relu", name: "only" }));
  const profile = model.profile(new Float32Array(64 * 8), { runs: 3 });
  expect(profile.rows).toHaveLength(1);
  expect(profile.rows[0]).toMatchObject({ kernel: "f32_gemm", layer: "only", shape: [8, 64], share: 1 });
  expect(String(profile)).toMatch(
    /kernel +layer +output +ms +GFLOP\/s +share\nf32_gemm +only +\[8, 64\] .*100\.0 %\ntotal/,
  );
  expect(() => model.profile(new Float32Array(0))).toThrow("expected a batch of at least 1, got 0");
});

test("prelu learns its slope below zero, one per shared axis", async () => {
  const model = await build(
    input([2, 3]),
    prelu({ sharedAxes: [1], alphaInitializer: { kind: "constant", value: 0.5 } }),
  );
  expect(model.weights()["prelu/alpha"].shape).toEqual([1, 3]);
  const x = Float32Array.of(-2, 4, -6, 8, -10, 12);
  expect((model.predict(x) as Tensor).data).toEqual(Float32Array.of(-1, 4, -3, 8, -5, 12));
  await fit(
    model,
    { x: tensor(x, [1, 2, 3]), y: tensor(new Float32Array(6), [1, 2, 3]) },
    { optimizer: sgd({ learningRate: 0.001 }), loss: "mse" },
  );
  expect(model.weights()["prelu/alpha"].data[0]).toBeLessThan(0.5);
});

test("comparisons and where work at any batch size", async () => {
  const x = input([3]);
  const model = await build(x, where(greater(x, 1), x, 0));
  expect((model.predict(Float32Array.of(0, 2, 3, 4, -1, 1)) as Tensor).data).toEqual(Float32Array.of(0, 2, 3, 4, 0, 0));
});
