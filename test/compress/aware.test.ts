// Quantization-aware training: the prepared model against the int8 model that it ends in, what it learns, and what that gains.
import { describe, expect, test } from "vitest";
import { distill, type QuantizeAwareOptions, quantize, quantizeAware, sensitivity } from "../../src/compress/index.js";
import { digits } from "../../src/data/index.js";
import * as layers from "../../src/index.js";
import { build, input, load, type Model, save, sequential, type Tensor, tensor } from "../../src/index.js";
import { adam, evaluate, fit, gradients, lambda } from "../../src/train/index.js";

const { activation, averagePooling2d, batchNormalization, conv2d, dense, depthwiseConv2d, flatten, maxPooling2d } =
  layers;

/** Numbers of a fixed pattern in [-1, 1). */
const numbers = (n: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => ((i * 7919) % 1009) / 504.5 - 1);

const images = (count: number): Tensor => tensor(numbers(count * 8 * 8 * 3), [count, 8, 8, 3]);

const predict = (model: Model, x: Tensor): Tensor => model.predict(x) as Tensor;

/**
 * Branches, a concatenation, normalizations, a depthwise layer with two filters for each channel, a table, both kinds of pooling, a clamp, and
 * ranges on both sides of 0.
 */
async function network(): Promise<Model> {
  const x = input([8, 8, 3]);
  const a = activation("relu")(batchNormalization()(conv2d(8, 3, { padding: "same", useBias: false })(x)));
  const b = batchNormalization()(depthwiseConv2d(3, { padding: "same", depthMultiplier: 2 })(maxPooling2d(2)(a)));
  const c = activation("sigmoid")(conv2d(16, 1)(averagePooling2d(2)(a)));
  const both = layers.concatenate([layers.add([b, c]), conv2d(4, 1, { activation: "relu6" })(b)]);
  const model = await build(x, dense(5, { name: "scores" })(layers.globalAveragePooling2d()(both)));
  for (const [name, { shape }] of Object.entries(model.weights())) {
    const some = numbers(shape.reduce((p, d) => p * d, 1)).map((v) => 1 + v / 2);
    if (name.includes("atch")) model.setWeights({ [name]: tensor(some, shape) });
  }
  return model;
}

/** How far the int8 model of a prepared one is from it: most of all outputs, in steps, and the share of those that are not the same. */
async function apart(prepared: Model, x: Tensor): Promise<{ most: number; share: number }> {
  const expected = predict(prepared, x).data;
  const int8 = await quantize(prepared, { outputs: "int8" });
  const { scale = 0, zeroPoint = 0 } = int8.outputs[0].quantization ?? {};
  const steps = Array.from(predict(int8, x).data, (v, i) => Math.abs(v - zeroPoint - expected[i] / scale));
  return { most: Math.max(...steps), share: steps.filter((step) => step > 0.5).length / steps.length };
}

describe("a prepared model", () => {
  test("becomes what calibration alone makes, as long as it is not trained", async () => {
    const [model, x] = [await network(), images(40)];
    const prepared = await quantizeAware(model, { calibration: x, skip: ["conv2d_2"] });
    const [expected, actual] = await Promise.all([
      quantize(model, { calibration: x, skip: ["conv2d_2"] }),
      quantize(prepared),
    ]);
    expect(actual.weights()).toEqual(expected.weights());
    expect(predict(actual, x)).toEqual(predict(expected, x));
  });

  test("computes what its int8 model will, before and after training", async () => {
    const [model, x] = [await network(), images(40)];
    const expectAlike = async (each: Model) => {
      const { most, share } = await apart(each, x);
      expect(most).toBeLessThan(1.001);
      expect(share).toBeLessThan(0.01);
    };
    const prepared = await quantizeAware(model, { calibration: x });
    await expectAlike(prepared);
    const y = tensor(
      predict(model, x).data.map((v) => 1.5 * v + 1),
      [40, 5],
    ); // its ranges have to grow
    const { history } = await fit(prepared, { x, y }, { optimizer: "adam", loss: "meanSquaredError", epochs: 30 });
    expect(history.loss[29]).toBeLessThan(0.5 * history.loss[0]);
    await expectAlike(prepared);
    const { data } = prepared.weights()["scores/output_range_log"];
    expect(data.every((v) => v !== 0)).toBe(true);
  });

  test("is saved, loaded and trained on as any", async () => {
    const [model, x] = [await network(), images(8)];
    const prepared = await quantizeAware(model, { calibration: x });
    const data = { x, y: tensor(numbers(40), [8, 5]) };
    const options = { optimizer: adam({ learningRate: 1e-3 }), loss: "meanSquaredError", epochs: 2 } as const;
    const trained = async (each: Model) => {
      await fit(each, data, { ...options, validation: data, metrics: ["meanAbsoluteError"] });
      return each;
    };
    await trained(prepared);
    const again = await load(save(prepared));
    expect(again.weights()).toEqual(prepared.weights());
    const both = [await trained(prepared), await trained(again)];
    const [a, b] = await Promise.all(both.map((each) => quantize(each)));
    expect(save(b)).toEqual(save(a));
  });

  test("learns from a teacher", async () => {
    const [model, x] = [await network(), images(8)];
    const prepared = await quantizeAware(model, { calibration: x });
    const teacher = model.clone();
    teacher.setWeights({ "scores/bias": tensor([1, 1, 1, 1, 1]) });
    const options = { optimizer: "adam", loss: "meanSquaredError", epochs: 5, alpha: 1 } as const;
    const { history } = await distill(teacher, prepared, { x, y: tensor(numbers(40), [8, 5]) }, options);
    expect(history.loss[4]).toBeLessThan(history.loss[0]);
    expect((await apart(prepared, x)).most).toBeLessThan(1.001);
  });

  test("stays as it was when fit fails", async () => {
    const [model, x] = [await network(), images(8)];
    const prepared = await quantizeAware(model, { calibration: x });
    const before = prepared.weights();
    const failing = lambda({
      onTrainBatchEnd() {
        expect(prepared.weights()).not.toEqual(before);
        throw new Error("own");
      },
    });
    const options = { optimizer: "adam", loss: "meanSquaredError", callbacks: [failing] } as const;
    await expect(fit(prepared, { x, y: tensor(numbers(40), [8, 5]) }, options)).rejects.toThrow("own");
    expect(prepared.weights()).toEqual(before);
  });

  test("keeps what freeze names, and the model it is made of its weights", async () => {
    const [model, x] = [await network(), images(8)];
    const first = model.weights();
    const prepared = await quantizeAware(model, { calibration: x });
    const before = prepared.weights();
    const freeze = (name: string) => name.endsWith("_log") || name === "scores/kernel";
    const data = { x, y: tensor(numbers(40), [8, 5]) };
    await fit(prepared, data, { optimizer: "adam", loss: "meanSquaredError", freeze });
    const moved = Object.entries(prepared.weights()).filter(([name, { data }]) =>
      data.some((v, i) => v !== before[name].data[i]),
    );
    expect(moved.map(([name]) => name)).toEqual(
      Object.keys(before).filter((name) => /(kernel|bias)$/.test(name) && name !== "scores/kernel"),
    );
    expect(model.weights()).toEqual(first);
  });
});

test("layers in skip stay float to the end", async () => {
  const [model, x] = [await network(), images(8)];
  const prepared = await quantizeAware(model, { calibration: x, skip: ["depthwiseConv2d"] });
  expect(Object.keys(prepared.weights())).not.toContain("depthwiseConv2d/scale");
  const small = await quantize(prepared);
  expect(small.weights()["depthwiseConv2d/depthwise_kernel"].dtype).toBe("float32");
  expect(small.weights()["conv2d/kernel"].dtype).toBe("int8");
});

test("scales and ranges get LSQ's gradients, as shares", async () => {
  const model = await build(input([3], { name: "x" }), dense(2, { name: "d", useBias: false }));
  model.setWeights({ "d/kernel": tensor([0.31, -0.9, 0.77, 0.43, -0.58, 0.12], [3, 2]) });
  const prepared = await quantizeAware(model, {
    calibration: tensor([
      [1, -2, 0.5],
      [-1, 1, 1],
    ]),
  });
  const x = [1.9, -0.71, 0.29]; // the first is clamped
  const found = gradients(prepared, { of: "d", wrt: ["d/scale_log", "d/output_range_log", "d/kernel"] })(tensor([x]));
  const weights = prepared.weights();
  /** Integers, what is rounded off, and whether they are clamped. */
  const round = (v: number, scale: number, zero: number, low: number) => {
    const q = Math.round(v / scale);
    const clamped = Math.min(Math.max(q + zero, low), 127) - zero;
    return { value: clamped * scale, inside: clamped === q, slope: clamped === q ? q - v / scale : clamped };
  };
  const rangeOf = (name: string) => {
    const [low, high] = weights[name].data;
    const scale = (high - low) / 255;
    return { low, high, scale, zero: Math.round(-128 - low / scale) };
  };
  const [from, to] = [rangeOf("fakeQuantize/output_range"), rangeOf("d/output_range")];
  const xs = x.map((v) => round(v, from.scale, from.zero, -128).value);
  const dscale = [0, 0];
  const dkernel: number[] = [];
  let [dlow, dhigh] = [0, 0];
  for (const j of [0, 1]) {
    const ws = x.map((_, i) => round(weights["d/kernel"].data[2 * i + j], weights["d/scale"].data[j], 0, -127));
    const y = ws.reduce((total, { value }, i) => total + value * xs[i], 0);
    const out = round(y, to.scale, to.zero, -128);
    // By the ends of its range: of the scale, (high - low) / 255, and where it is clamped of the zero point, -128 - low / scale.
    const ds = out.slope + (out.inside ? 0 : -to.low / to.scale);
    dhigh += ds / 255;
    dlow += -ds / 255 + (out.inside ? 0 : 1);
    ws.forEach(({ slope, inside }, i) => {
      dscale[j] += out.inside ? xs[i] * slope : 0;
      dkernel[2 * i + j] = out.inside && inside ? xs[i] : 0;
    });
  }
  const near = (actual: Tensor, expected: readonly number[]) => {
    expected.forEach((v, i) => {
      expect(actual.data[i]).toBeCloseTo(v, 4);
    });
  };
  near(found["d/kernel"], dkernel);
  near(
    found["d/scale_log"],
    dscale.map((d, j) => d / Math.sqrt(255 * 3) / weights["d/scale"].data[j]),
  );
  const share = 1 / Math.sqrt(255 * 2) / to.scale ** 2;
  near(found["d/output_range_log"], [to.low * dlow * share, to.high * dhigh * share]);
});

const judged = { loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] } as const;

describe("digits", async () => {
  const [train, held] = [digits({ count: 2000, seed: 1 }), digits({ count: 1000, seed: 2 })];
  const model = await build(
    input([28, 28, 1]),
    sequential(
      conv2d(8, 3, { activation: "relu", strides: 2, name: "first" }),
      depthwiseConv2d(3, { name: "second" }),
      activation("relu"),
      conv2d(16, 1, { activation: "relu", name: "third" }),
      maxPooling2d(2),
      flatten(),
      dense(32, { activation: "relu" }),
      dense(10, { activation: "softmax" }),
    ),
  );
  await fit(model, train, { epochs: 3, optimizer: "adam", ...judged, batchSize: 32 });
  const accuracy = async (each: Model) => Math.round(1000 * (await evaluate(each, held, judged)).accuracy);
  const tuned = async (prepared: Model, epochs: number) => {
    // Ranges by more, as Jain and others have it.
    const learningRates = (name: string) => (name.endsWith("_log") ? 30 : 1);
    await fit(prepared, train, { epochs, optimizer: adam({ learningRate: 3e-4 }), ...judged, learningRates });
    return prepared;
  };

  test("are told apart no worse than without training, and as the prepared model does", async () => {
    const calibration = train.x;
    const post = await quantize(model, { calibration });
    const prepared = await tuned(await quantizeAware(model, { calibration }), 1);
    const aware = await quantize(prepared);
    expect(await accuracy(aware)).toBeGreaterThanOrEqual(await accuracy(post));
    const classes = [prepared, aware].map((each) => {
      const { data } = predict(each, held.x);
      return Array.from({ length: 1000 }, (_, i) => {
        const row = [...data.subarray(10 * i, 10 * i + 10)];
        return row.indexOf(Math.max(...row));
      });
    });
    expect(classes[0].filter((k, i) => k === classes[1][i]).length).toBeGreaterThanOrEqual(990);
  });

  test("are told apart again where one channel's range hides the others", async () => {
    // The same function of floats: what a channel is times as large, the next layer takes back.
    const [large, k] = [300, 3];
    const skewed = model.clone();
    const weights = skewed.weights();
    const scaled = (name: string, by: number, at: (i: number) => boolean) => {
      const { data, shape } = weights[name];
      skewed.setWeights({
        [name]: tensor(
          (data as Float32Array).map((v, i) => (at(i) ? v * by : v)),
          shape,
        ),
      });
    };
    scaled("first/kernel", large, (i) => i % 8 === k);
    scaled("first/bias", large, (i) => i % 8 === k);
    scaled("second/depthwise_kernel", 1 / large, (i) => i % 8 === k);
    const calibration = train.x;
    const [float, post] = [await accuracy(skewed), await accuracy(await quantize(skewed, { calibration }))];
    const aware = await accuracy(await quantize(await tuned(await quantizeAware(skewed, { calibration }), 2)));
    expect(float).toBe(await accuracy(model));
    expect(post).toBeLessThan(float - 50);
    expect(aware).toBeGreaterThan(float - 20);
  });
});

describe("refusals", () => {
  const made = () => build(input([4]), sequential(dense(3, { name: "d" })));
  const x = tensor([[1, 2, 3, 4]]);
  const refused = async (options: QuantizeAwareOptions) => {
    const model = await made();
    const before = model.weights();
    const error = await quantizeAware(model, options).catch((e: unknown) => e);
    expect(model.weights()).toEqual(before);
    return (error as Error).message;
  };

  test("calibration", async () => {
    expect(await refused({ calibration: tensor([[1, 2]]) })).toMatch(/quantizeAware.*\[batch, 4\], got \[1, 2\]/);
    expect(await refused({ calibration: tensor(new Float32Array(0), [0, 4]) })).toMatch("at least one sample");
    expect(await refused({ calibration: tensor(new Float32Array(8), [2, 4]) })).toMatch("varies, got only 0");
    expect(await refused({ calibration: tensor([[1, 2, 3, Number.NaN]]) })).toMatch("finite");
    expect(await refused({} as never)).toMatch("calibration");
  });

  test("names, options and models that are none", async () => {
    expect(await refused({ calibration: x, skip: ["e"] })).toMatch('expected layers of d, got "e"');
    expect(await refused({ calibration: x, skip: ["d"] })).toMatch("a layer that can be int8");
    expect(await refused({ calibration: x, method: "best" as never })).toMatch("minMax");
    expect(await refused({ calibration: x, outputs: "int8" } as never)).toMatch("outputs");
    await expect(quantizeAware(3 as never, { calibration: x })).rejects.toThrow(TypeError);
  });

  test("what is quantized or prepared already", async () => {
    const model = await made();
    const prepared = await quantizeAware(model, { calibration: x });
    await expect(quantizeAware(prepared, { calibration: x })).rejects.toThrow("one that quantizeAware has prepared");
    await expect(sensitivity(prepared, x)).rejects.toThrow("one that quantizeAware has prepared");
    await expect(quantize(prepared, { calibration: x })).rejects.toThrow("whose ranges are learnt, got calibration");
    const small = await quantize(prepared);
    await expect(quantize(small)).rejects.toThrow("quantized already");
    await expect(quantizeAware(small, { calibration: x })).rejects.toThrow("quantized already");
    await expect(quantize(model)).rejects.toThrow("calibration");
  });
});
