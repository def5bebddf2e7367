// What every runtime does, and the hash of what came out: seeded weights, 30 training steps of a residual network with images turned at
// random, batch normalization, dropout and RMSprop, an evaluation, a prediction and a saved file, and again what the file gives once
// loaded; and some steps of a model of sequences. Plain JavaScript on the built package.
import { sha256 } from "./sha256.mjs";

/**
 * @param lanewise, train, data the package's entries, "lanewise/int8" with the first
 * @param options BuildOptions: `{ kernels }` runs another build of the kernels
 * @returns {Promise<{ hash: string, parts: Record<string, string>, threads: number }>} one hash, one of each part to find a difference by,
 *   and how many threads it ran on
 */
export async function scenario(lanewise, train, data, options = {}) {
  const { add, batchNormalization, build, conv2d, dense, depthwiseConv2d, dropout, globalAveragePooling2d } = lanewise;
  const { input, load, maxPooling2d, randomRotation, relu, save, softmax } = lanewise;
  // Small, but with what can go wrong: moving statistics, branches, values used twice, random masks, activations with exp and erf.
  const image = input([28, 28, 1], { name: "image" });
  const turned = randomRotation(0.02)(image);
  const stem = maxPooling2d(2)(
    relu(batchNormalization({ name: "stem_norm" })(conv2d(8, 3, { padding: "same" })(turned))),
  );
  const branch = relu(batchNormalization()(depthwiseConv2d(3, { padding: "same" })(stem)));
  const block = relu(add(stem, conv2d(8, 1)(branch)));
  const wide = conv2d(16, 3, { strides: 2, padding: "same", activation: "silu" })(dropout(0.3)(block));
  const features = dropout(0.4)(dense(24, { activation: "gelu" })(globalAveragePooling2d()(wide)));
  const model = await build(image, softmax(dense(10)(features)), { seed: 7, ...options });
  const initial = hashWeights(model);

  const training = data.digits({ count: 470, seed: 1 }); // 15 batches of 32, the last one of 22
  const test = data.digits({ count: 100, seed: 2 });
  const losses = [];
  const settings = {
    optimizer: train.rmsprop({ learningRate: 0.003, momentum: 0.5 }),
    loss: "sparseCategoricalCrossentropy",
    metrics: ["accuracy"],
  };
  const run = train.fit(model, training, { ...settings, epochs: 2, batchSize: 32, seed: 5 });
  for await (const step of run) losses.push(step.loss);
  const scores = await train.evaluate(model, test, { ...settings, batchSize: 32 });
  const file = save(model);
  const parts = {
    initial,
    losses: hashNumbers(losses),
    weights: hashWeights(model),
    scores: hashNumbers(
      Object.keys(scores)
        .sort()
        .map((name) => scores[name]),
    ),
    predictions: hashArray(model.predict(test.x).data),
    file: sha256(file),
    ...(await sequences(lanewise, train, options)),
    integers: await integers(lanewise, options),
  };

  const loaded = await load(file, options);
  const again = {
    ...parts,
    weights: hashWeights(loaded),
    predictions: hashArray(loaded.predict(test.x).data),
    file: sha256(save(loaded)),
  };
  for (const part of Object.keys(parts)) {
    if (parts[part] !== again[part]) throw new Error(`the ${part} differ after save and load`);
  }
  if (losses.length !== 30) throw new Error(`expected 30 training steps, got ${losses.length}`);
  if (!(losses[29] < losses[0])) throw new Error(`the loss went from ${losses[0]} to ${losses[29]}`);
  return { hash: hashText(JSON.stringify(parts)), parts, threads: model.threads };
}

/** Recurrent layers of each kind with a mask, dropout, states that stay, and labels without times: hashes of weights and predictions. */
async function sequences(lanewise, { trainer }, options) {
  const { bidirectional, build, dense, embedding, gru, input, load, lstm, save, sequential, simpleRNN, tensor } =
    lanewise;
  const [batch, steps] = [9, 13];
  const layers = sequential(
    embedding(7, 5, { maskZero: true }),
    bidirectional(gru(6, { returnSequences: true, recurrentDropout: 0.2 })),
    gru(5, { returnSequences: true, resetAfter: false }),
    lstm(7, { returnSequences: true, dropout: 0.2, stateful: true, batchSize: batch }),
    simpleRNN(9, { returnSequences: true }),
    dense(4),
  );
  const model = await build(input([steps], { dtype: "int32" }), layers, { seed: 3, ...options });
  const numbers = (count, f) => Int32Array.from({ length: count }, (_, i) => f(i));
  const x = tensor(
    numbers(batch * steps, (i) => (i % steps < 9 + (i % 3) ? 1 + ((i * i) % 6) : 0)),
    [batch, steps],
  );
  const y = tensor(
    numbers(batch * 3, (i) => 1 + ((i * 5) % 3)),
    [batch, 3],
  );
  const { step } = trainer(model, { optimizer: "adam", loss: "ctc", seed: 2 });
  const losses = Array.from({ length: 5 }, () => step({ x, y }).loss);
  if (!(losses[4] < losses[0])) throw new Error(`the loss of sequences went from ${losses[0]} to ${losses[4]}`);
  const copy = await load(save(model), options);
  const [first, again] = [model, copy].map((each) => hashArray(each.predict(x).data));
  if (first !== again) throw new Error("predictions of sequences differ after save and load");
  return { sequenceLosses: hashNumbers(losses), sequenceWeights: hashWeights(model), sequences: first };
}

/** A quantized network, each kernel of int8 once at least: a hash of what it gives, saved and loaded too. */
async function integers(lanewise, options) {
  const { build, constant, input, load, reshape, save, tensor } = lanewise;
  const { dequantizeLinear, quantizeLinear, quantizedAdd, quantizedAvgPool2d, quantizedConv2d, quantizedDense } =
    lanewise;
  const { quantizedDepthwiseConv2d, quantizedFunction, quantizedMaxPool2d, quantizedMean, quantizedMul } = lanewise;
  const { quantizedSoftmax, requantize } = lanewise;
  const pattern = (count, step) => Int8Array.from({ length: count }, (_, i) => ((i * step) % 255) - 127);
  const kernel = (...shape) =>
    constant(
      tensor(
        pattern(
          shape.reduce((a, b) => a * b),
          89,
        ),
        shape,
      ),
    );
  const scale = (n) => constant(tensor(Float32Array.from({ length: n }, (_, i) => 0.002 + (i % 5) / 2048)));
  const bias = (n) => constant(tensor(Int32Array.from({ length: n }, (_, i) => 40 * i - 100)));
  const [a, b] = [
    { scale: 0.0625, zeroPoint: -7 },
    { scale: 0.125, zeroPoint: 11 },
  ];
  const [there, back] = [
    { input: a, quantization: b },
    { input: b, quantization: a },
  ];
  const x = input([9, 10, 3]);
  const first = quantizedConv2d(quantizeLinear(x, a), kernel(3, 3, 3, 16), scale(16), {
    ...there,
    bias: bias(16),
    padding: "same",
  });
  const wide = quantizedConv2d(first, kernel(3, 3, 16, 11), scale(11), { ...back, padding: "same", low: a.zeroPoint });
  const deep = quantizedDepthwiseConv2d(wide, kernel(3, 3, 11, 1), scale(11), { ...there, padding: "same" });
  const sum = quantizedAdd(requantize(deep, back), quantizedMul(wide, deep, { a, b, quantization: a }), {
    a,
    b: a,
    quantization: b,
  });
  const pooled = quantizedMaxPool2d(quantizedAvgPool2d(sum, [2, 2], { quantization: b, padding: "same" }), [2, 2], {
    quantization: b,
  });
  const means = quantizedFunction(quantizedMean(pooled, { axes: [1, 2], ...back }), "tanh", {
    input: a,
    quantization: a,
  });
  const flat = reshape(pooled, [-1, 2 * 2 * 11]);
  const logits = quantizedDense(flat, kernel(44, 10), scale(10), { ...back, bias: bias(10) });
  const scores = quantizedSoftmax(logits, { input: a, quantization: { scale: 1 / 256, zeroPoint: -128 } });
  const model = await build(x, [scores, means, sum, dequantizeLinear(logits, a)], options);
  const copy = await load(save(model), { ...options, layers: [lanewise.int8Ops] });
  const numbers = Float32Array.from({ length: 3 * 270 }, (_, i) => ((i * 31) % 101) / 9 - 5.5);
  const hashes = [model, copy].map((each) =>
    hashText(
      each
        .predict(numbers)
        .map(({ data }) => hashArray(data))
        .join(),
    ),
  );
  if (hashes[0] !== hashes[1]) throw new Error("integers differ after save and load");
  return hashes[0];
}

// (func (param v128 v128 v128) (result v128) (f32x4.relaxed_madd (local.get 0) (local.get 1) (local.get 2)))
const RELAXED_MADD = [
  [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  [0x01, 0x08, 0x01, 0x60, 0x03, 0x7b, 0x7b, 0x7b, 0x01, 0x7b],
  [0x03, 0x02, 0x01, 0x00],
  [0x0a, 0x0d, 0x01, 0x0b, 0x00, 0x20, 0x00, 0x20, 0x01, 0x20, 0x02, 0xfd, 0x85, 0x02, 0x0b],
].flat();

/**
 * A few training steps and a prediction with `math: "relaxed"`, beside the same in the exact build.
 * @returns {Promise<{ known: boolean, math: string, loaded: string, difference: number }>} whether the engine knows relaxed SIMD, what a
 *   built and a loaded model say they run with, and the largest difference of a probability
 */
export async function relaxed({ build, conv2d, dense, flatten, input, load, save, softmax }, { trainer }, { digits }) {
  const { x, y } = digits({ count: 64, seed: 3 });
  const train = async (options) => {
    const image = input([28, 28, 1]);
    const logits = dense(10)(flatten()(conv2d(8, 3, { strides: 2, activation: "gelu" })(image)));
    const model = await build(image, softmax(logits), { seed: 11, ...options });
    const { step } = trainer(model, { optimizer: "sgd", loss: "sparseCategoricalCrossentropy" });
    for (let i = 0; i < 4; i++) step({ x, y });
    return model;
  };
  const exact = await train({ math: "exact" });
  const fast = await train({ math: "relaxed" });
  const again = await load(save(fast), { math: "relaxed" });
  const [a, b, c] = [exact, fast, again].map((model) => model.predict(x).data);
  if (exact.math !== "exact") throw new Error(`an exact model says it is ${exact.math}`);
  if (hashArray(b) !== hashArray(c)) throw new Error("the relaxed predictions differ after save and load");
  return {
    known: WebAssembly.validate(Uint8Array.from(RELAXED_MADD)),
    math: fast.math,
    loaded: again.math,
    difference: a.reduce((most, p, i) => Math.max(most, Math.abs(p - b[i])), 0),
  };
}

function hashWeights(model) {
  const weights = model.weights();
  const names = Object.keys(weights).sort();
  return hashText(names.map((name) => `${name} [${weights[name].shape}] ${hashArray(weights[name].data)}`).join("\n"));
}

function hashArray({ buffer, byteOffset, byteLength }) {
  return sha256(new Uint8Array(buffer, byteOffset, byteLength));
}

function hashNumbers(numbers) {
  return hashArray(Float64Array.from(numbers));
}

function hashText(text) {
  return sha256(new TextEncoder().encode(text));
}
