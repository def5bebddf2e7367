// The slips of a pen: each public function says what it expected, what came and where, and on the user's own line.
import { describe, expect, test } from "vitest";
import * as lw from "../../src/index.js";
import { build, constant, dense, input, tensor } from "../../src/index.js";
import * as train from "../../src/train/index.js";

/** What no type allows. */
// biome-ignore lint/suspicious/noExplicitAny: JavaScript has no types
type Any = any;

const model = await build(input([4], { name: "x" }), dense(3, { activation: "softmax", name: "d" }));
const data = { x: tensor(new Float32Array(8), [2, 4]), y: tensor([0, 1], [2], "int32") };
const options = { optimizer: "adam", loss: "sparseCategoricalCrossentropy" } as const;
const [l, t] = [lw as Any, train as Any];

const defining: [string, () => unknown, string][] = [
  ["tensor of text", () => l.tensor([1, "a"]), 'tensor: expected numbers or booleans, got "a"'],
  ["tensor of null", () => l.tensor([[1, null]]), "tensor: expected numbers or booleans, got null"],
  [
    "tensor of what int8 does not hold",
    () => l.tensor([300], [1], "int8"),
    "expected numbers that int8 holds, got 300",
  ],
  [
    "input with an option that there is not",
    () => l.input([3], { nam: "a" }),
    'input: expected options dtype, name, quantization, batched, got "nam"',
  ],
  ["dense of a text", () => l.dense("3"), 'dense: expected units to be a positive integer, got "3"'],
  ["a layer with a number as name", () => l.dense(3, { name: 7 }), "dense: expected name to be a text, got 7"],
  [
    "parameter without an object",
    () => l.parameter([2], "ones", null),
    "parameter: expected options name, trainable, regularizer, got null",
  ],
  ["dropout of a text", () => l.dropout("0.5"), 'dropout: expected a rate in [0, 1), got "0.5"'],
  ["batchNormalization with a text", () => l.batchNormalization({ momentum: "0.9" }), "expected momentum in [0, 1]"],
  [
    "layerNormalization with an object as axis",
    () => l.layerNormalization({ axis: {} })(input([2])),
    "expected an axis or a list of axes, got Object",
  ],
  ["reshape without a shape", () => l.reshape(input([4])), "reshape: expected a shape, got undefined"],
  ["transpose of nothing", () => l.transpose(), "transpose: expected a Value (from input() or a layer), got undefined"],
  ["sum of nothing", () => l.sum(), "sum: expected a Value"],
  ["tile with a number", () => l.tile(input([5]), 2), "tile: expected a multiple for each axis, got 2"],
  [
    "slice without sizes",
    () => l.slice(input([3])),
    "slice: expected lists of begins and sizes, got undefined, undefined",
  ],
  ["clip upside down", () => l.clip(input([3]), 2, 1), "clip: expected low to be at most high, 1, got 2"],
  ["constant of numbers", () => constant([1, 2] as Any), "constant: expected a tensor, got an array"],
  [
    "setWeights of nothing",
    () => (model as Any).setWeights(),
    "setWeights: expected tensors by the names of weights, got undefined",
  ],
  [
    "setWeights of an array",
    () => model.setWeights({ "d/bias": [1, 2, 3] as Any }),
    'setWeights "d/bias": expected a tensor, got an array',
  ],
  [
    "predict of arrays",
    () => model.predict([[1, 2, 3, 4]] as Any),
    'predict "x": expected a tensor or a typed array, got an array',
  ],
  [
    "initialize by a text",
    () => model.initialize("x" as Any),
    'initialize: expected seed to be an integer in [0, 2^53), got "x"',
  ],
  ["save of weights", () => l.save(model.weights()), "save: expected a model, got Object"],
  ["adam with another library's option", () => t.adam({ lr: 0.1 }), 'got "lr"'],
  ["adam of a number", () => t.adam(0.01), "adam: expected options learningRate, "],
  ["adamW excluding a text", () => t.adamW({ excludeFromWeightDecay: "bias" }), "excludeFromWeightDecay to be a list"],
  [
    "cosineDecay of nothing",
    () => t.cosineDecay(),
    "expected initialLearningRate to be a number of at least 0, got undefined",
  ],
  ["piecewise of nothing", () => t.piecewise(), "piecewise: expected lists of boundaries and values, got undefined"],
  [
    "earlyStopping by a number",
    () => t.earlyStopping({ monitor: 5 }),
    "expected monitor to be the name of a number, got 5",
  ],
  ["csvLogger of nothing", () => t.csvLogger(), "csvLogger: expected a function, got undefined"],
  ["modelCheckpoint of a path", () => t.modelCheckpoint("a.bin"), 'modelCheckpoint: expected a function, got "a.bin"'],
  ["lambda with a hook that there is not", () => t.lambda({ onEpoch: () => {} }), 'got "onEpoch"'],
  ["topK of 0", () => t.topKCategoricalAccuracy({ k: 0 }), "expected k to be a positive integer, got 0"],
  ["trainer of nothing", () => t.trainer(), "trainer: expected a model (from build() or load()), got undefined"],
  ["trainer without options", () => t.trainer(model), "trainer: expected options optimizer, loss, "],
  [
    "gradients without names",
    () => t.gradients(model, { of: "d" }),
    "gradients: expected wrt to be a list of names, got undefined",
  ],
  [
    "gradients of nothing",
    () => t.gradients(model, { wrt: ["x"] }),
    "expected of to be the name of an output or a function",
  ],
  ["fit of nothing", () => t.fit(), "fit: expected a model"],
  ["fit without options", () => t.fit(model, data), "fit: expected options optimizer, loss, "],
  ["fit with a slip", () => t.fit(model, data, { ...options, epoch: 3 }), 'got "epoch"'],
  [
    "fit with one callback",
    () => t.fit(model, data, { ...options, callbacks: train.lambda({}) }),
    "fit: expected callbacks to be a list of callbacks, got Object",
  ],
  [
    "fit with a text as validation",
    () => t.fit(model, data, { ...options, validation: "0.1" }),
    'expected validation to be examples, a dataset or a share, got "0.1"',
  ],
  [
    "fit with a text as shuffle",
    () => t.fit(model, data, { ...options, shuffle: "no" }),
    'expected shuffle to be true or false, got "no"',
  ],
  [
    "fit with an object as signal",
    () => t.fit(model, data, { ...options, signal: {} }),
    "fit: expected an AbortSignal, got Object",
  ],
];

test.each(defining)("%s", (_, call, message) => {
  expect(call).toThrow(message);
  expect(call).toThrow(expect.objectContaining({ stack: expect.stringContaining("misuse.test") }));
});

describe("what fit finds once it runs is told from where it was called, and the model is as it was", () => {
  test.each<[string, object, object, string]>([
    ["data that is none", {}, { data: null }, "fit: expected data { x, y } or a dataset, got null"],
    [
      "arrays as data",
      {},
      { data: { x: [[1, 2, 3, 4]], y: [1] } },
      'fit "x": expected a tensor or a typed array, got an array',
    ],
    [
      "typed arrays as targets",
      {},
      { data: { x: data.x, y: new Int32Array(2) } },
      'fit "d": expected targets to be a tensor, got Int32Array',
    ],
    ["a loss that is no Value", { loss: () => 5 }, {}, "loss: expected a Value (from input() or a layer), got 5"],
    [
      "a loss without weights",
      { loss: (y: lw.Value) => lw.cast(y, "float32") },
      {},
      "expected a loss of the weights that are trained",
    ],
    ["a number to freeze", { freeze: 3 }, {}, "fit: expected names of layers or weights to freeze, got 3"],
    ["labels that are no class", {}, { data: { x: data.x, y: tensor([0, 7], [2], "int32") } }, "got 7 (sample 1)"],
  ])("%s", async (_, more, { data: given = data }: Any, message) => {
    const before = model.weights();
    const error = await t.fit(model, given, { ...options, ...more }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toContain(message);
    expect((error as Error).stack).toContain("misuse.test");
    expect(model.weights()).toEqual(before);
  });

  test("evaluate too", async () => {
    await expect(t.evaluate(model, data)).rejects.toThrow("evaluate: expected options optimizer, loss, ");
    await expect(l.build(input([3]), dense(2), { sead: 1 })).rejects.toThrow(
      'build: expected options seed, name, math, threads, kernels, got "sead"',
    );
  });
});

test("a batch larger than memory allows is refused before it starts", async () => {
  const wide = await build(input([2 ** 20]), dense(1, { kernelInitializer: "zeros" }));
  const before = wide.predict(new Float32Array(2 ** 20)) as lw.Tensor;
  const refuse = () =>
    expect(() => wide.session(2 ** 12)).toThrow(
      /expected a size that fits 4 GiB and this machine, got 163\d\d MiB for session/,
    );
  refuse();
  const { memory } = wide.plan();
  for (let i = 0; i < 3; i++) refuse();
  expect(wide.plan().memory).toBe(memory);
  expect(wide.predict(new Float32Array(2 ** 20))).toEqual(before);
});
