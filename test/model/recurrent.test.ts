// What recurrent layers do beside their numbers: states that stay, dropout, initial weights, errors.
import { describe, expect, test } from "vitest";
import * as lw from "../../src/index.js";
import { fit, trainer } from "../../src/train/index.js";
import { numbers } from "../oracle/array.js";

const { bidirectional, build, gru, input, load, lstm, maskOf, save, simpleRNN, tensor, timeDistributed } = lw;

const floats = (shape: number[], seed: number): lw.Tensor =>
  tensor(Float32Array.from(numbers(shape, seed).data), shape);
const predicted = (model: lw.Model, ...x: lw.Tensor[]): number[] => [...(model.predict(x) as lw.Tensor).data];
/** The steps of some sequences from one on. */
const steps = ({ data, shape: [batch, count, n] }: lw.Tensor, from: number, to: number): lw.Tensor =>
  tensor(
    Float32Array.from({ length: batch * (to - from) * n }, (_, i) => {
      const [b, rest] = [Math.floor(i / ((to - from) * n)), i % ((to - from) * n)];
      return data[(b * count + from) * n + rest];
    }),
    [batch, to - from, n],
  );

const kinds: [string, (units: number, options?: lw.RecurrentOptions) => lw.Recurrent][] = [
  ["simpleRNN", simpleRNN],
  ["lstm", lstm],
  ["gru", gru],
];

describe.each(kinds)("%s", (_, make) => {
  test("stateful: two halves of a sequence end as the whole does, until the state is reset", async () => {
    const whole = await build(input([6, 2]), make(4, { name: "r" }), { seed: 2 });
    const x = floats([1, 6, 2], 5);
    const halves = await build(input([3, 2]), make(4, { name: "r", stateful: true }), { seed: 2 });
    halves.setWeights(whole.weights());
    const once = () => [predicted(halves, steps(x, 0, 3)), predicted(halves, steps(x, 3, 6))];
    const [first, second] = once();
    expect(second).toEqual(predicted(whole, x));
    expect(once()).not.toEqual([first, second]);
    halves.resetState();
    expect(once()).toEqual([first, second]);
  });

  test("stateful: as many sequences as batchSize says, also in a session and a copy from a file", async () => {
    const model = await build(input([2, 3]), make(3, { stateful: true, batchSize: 2 }));
    const x = floats([2, 2, 3], 1);
    const [first, second] = [predicted(model, x), predicted(model, x)];
    expect(second).not.toEqual(first);
    model.resetState();
    const session = model.session(2);
    session.inputs[0].set(x.data);
    session.run();
    expect([...session.outputs[0]]).toEqual(first);
    const copy = await load(save(model));
    expect(predicted(copy, x)).toEqual(second);
    session.run();
    expect([...session.outputs[0]]).toEqual(second);
    model.resetState();
    const one = tensor(x.data.slice(0, 6) as Float32Array, [1, 2, 3]);
    expect(predicted(model, one)).toEqual(first.slice(0, 3));
    expect(() => model.predict(floats([3, 2, 3], 1))).toThrow("[3, 3], got [2, 3]");
  });

  test("drops features and states while it is trained only, the same in every step", async () => {
    const of = (rates: object) => build(input([5, 3]), make(8, { name: "r", ...rates }), { seed: 1 });
    const [x, y] = [floats([16, 5, 3], 3), floats([16, 8], 4)];
    const plain = await of({});
    const loss = (model: lw.Model, seed: number) =>
      trainer(model.clone(), { loss: "mse", optimizer: "sgd", seed }).step({ x, y }).loss;
    for (const rates of [{ dropout: 0.5 }, { recurrentDropout: 0.5 }]) {
      const model = await of(rates);
      expect(predicted(model, x)).toEqual(predicted(plain, x));
      expect(loss(model, 1)).not.toBe(loss(plain, 1));
      expect(loss(model, 1)).not.toBe(loss(model, 2));
      expect(loss(model, 2)).toBe(loss(model, 2));
      expect(predicted(await load(save(model)), x)).toEqual(predicted(plain, x));
    }
  });

  test("begins with an orthogonal recurrent matrix", async () => {
    const model = await build(input([2, 2]), make(5, { name: "r" }));
    const { data, shape } = model.weights()["r/recurrent_kernel"];
    const row = (i: number) => [...data.slice(i * shape[1], (i + 1) * shape[1])];
    for (let i = 0; i < 5; i++)
      for (let j = 0; j < 5; j++)
        expect(row(i).reduce((sum, v, k) => sum + v * row(j)[k], 0)).toBeCloseTo(Number(i === j), 5);
  });

  test("takes and gives states, and hands a mask on with sequences", async () => {
    const x = input([4, 2]);
    const h = make(3, { returnState: true, name: "encoder" })(x) as unknown as lw.Value[];
    const y = make(3, { returnSequences: true, name: "decoder" })(x, { initialState: h.slice(1) }) as lw.Value;
    const model = await build(x, [y, ...h]);
    expect(model.outputs.map(({ shape }) => shape)).toEqual([[4, 3], [3], ...h.slice(1).map(() => [3])]);
    const masked = lw.masking()(x);
    const all = make(3, { returnSequences: true });
    expect(maskOf(all(masked) as lw.Value)).toBe(maskOf(masked));
    expect(maskOf(make(3)(masked) as lw.Value)).toBeUndefined();
    expect(maskOf(bidirectional(make(3, { returnSequences: true }))(masked) as lw.Value)).toBe(maskOf(masked));
    expect(() => make(3)(x, { initialState: [x, x, x] })).toThrow("initial states, got 3");
    expect(() => make(3)(x, { initialState: h.slice(1).map(() => input([4])) })).toThrow(
      /a state \[1, 3\], got \[1, 4\]/,
    );
  });

  test("refuses what cannot be", () => {
    expect(() => make(0)).toThrow("units to be a positive integer, got 0");
    expect(() => make(2)(input([5]))).toThrow("a sequence [steps, features]");
    expect(() => make(2)(input([0, 5]))).toThrow("expected at least one step, got none (input [0, 5])");
    expect(() => make(2, { activation: "gelu" as "tanh" })).toThrow(
      "activation to be one of linear, tanh, sigmoid, relu",
    );
    expect(() => make(2, { dropout: 1 })).toThrow("dropout in [0, 1), got 1");
    expect(() => make(2, { batchSize: 0, stateful: true })).toThrow("batchSize to be a positive integer");
    expect(() => make(2, { retrunState: true } as object)).toThrow("retrunState");
  });

  test("learns with a mask as without what is masked", async () => {
    const x = input([3, 2]);
    const model = async (length: number, y: (x: lw.Value) => lw.Value) => {
      const given = input([length, 2]);
      return build(given, lw.dense(1, { name: "d" })(make(3, { name: "r" })(y(given)) as lw.Value), { seed: 4 });
    };
    const [long, short] = [await model(5, lw.masking()), await model(3, (value) => value)];
    const data = floats([4, 3, 2], 8);
    const padded = tensor(new Float32Array(4 * 5 * 2), [4, 5, 2]);
    for (let b = 0; b < 4; b++) padded.data.set(data.data.slice(b * 6, b * 6 + 6), b * 10);
    const y = floats([4, 1], 9);
    const options = { loss: "mse", optimizer: "sgd", epochs: 3, batchSize: 2 } as const;
    await fit(long, { x: padded, y }, options);
    await fit(short, { x: data, y }, options);
    expect(x.shape).toEqual([1, 3, 2]);
    for (const [name, { data: weights }] of Object.entries(long.weights())) {
      const other = short.weights()[name].data;
      weights.forEach((weight, i) => {
        expect(weight, name).toBeCloseTo(other[i], 5);
      });
    }
  });
});

test("the bias of lstm's forget gate begins with 1", async () => {
  const bias = async (options: lw.LstmOptions) => [
    ...(await build(input([2, 1]), lstm(2, { name: "l", ...options }))).weights()["l/bias"].data,
  ];
  expect(await bias({})).toEqual([0, 0, 1, 1, 0, 0, 0, 0]);
  expect(await bias({ unitForgetBias: false })).toEqual(new Array(8).fill(0));
  expect(await bias({ biasInitializer: "ones" })).toEqual(new Array(8).fill(1));
  expect(() => lstm(2, { biasInitializer: "randomNormal" })).toThrow("a constant biasInitializer");
  expect((await bias({ biasInitializer: "randomNormal", unitForgetBias: false })).every((x) => x !== 0)).toBe(true);
});

describe("bidirectional", () => {
  test("names its layers, and takes one of its own for the way back", async () => {
    const x = input([4, 2]);
    const names = async (y: lw.Value | lw.Value[]) => Object.keys((await build(x, y)).weights());
    expect(await names(bidirectional(gru(2, { useBias: false }))(x) as lw.Value)).toEqual([
      "forward_gru/kernel",
      "forward_gru/recurrent_kernel",
      "backward_gru/kernel",
      "backward_gru/recurrent_kernel",
    ]);
    const named = bidirectional(lstm(2, { useBias: false, name: "a" }), { name: "both" });
    expect((await names(named(x) as lw.Value))[0]).toBe("both/forward_a/kernel");
    const other = bidirectional(lstm(2), { backwardLayer: gru(3, { goBackwards: true }) });
    expect((other(x) as lw.Value).shape).toEqual([1, 5]);
    const [y, ...states] = bidirectional(lstm(2, { returnState: true }))(x);
    expect([y, ...states].map(({ shape }) => shape)).toEqual([
      [1, 4],
      [1, 2],
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
    const again = bidirectional(lstm(2))(x, { initialState: states }) as lw.Value;
    expect(again.shape).toEqual([1, 4]);
  });

  test("refuses what cannot be", () => {
    expect(() => bidirectional(lw.dense(2) as never)).toThrow("a recurrent layer: simpleRNN, lstm or gru");
    expect(() => bidirectional(lstm(2), { mergeMode: "both" as "sum" })).toThrow(
      "mergeMode to be one of concat, sum, mul, ave",
    );
    expect(() => bidirectional(lstm(2), { backwardLayer: lstm(2) })).toThrow("goBackwards other than the layer's");
    expect(() => timeDistributed(2 as never)).toThrow("timeDistributed: expected a layer");
    expect(() => timeDistributed(lw.dense(2))(input([3]))).toThrow("an input [steps, ..., features]");
  });
});

test("a step of an LSTM is one product over all steps and one kernel", async () => {
  const model = await build(input([10, 8]), lstm(16));
  const kernels = model.plan(4).calls.map(({ kernel }) => kernel);
  expect(kernels).toEqual(["f32_gemm_pack", "f32_gemm_pack", "f32_gemm", "f32_lstm", "x32_strided_copy"]);
});
