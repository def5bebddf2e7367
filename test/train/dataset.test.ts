// fit and evaluate on datasets: the same bits as on the tensors behind them, and errors by the sample's number.
import { describe, expect, test } from "vitest";
import { csv, type Dataset, dataset, digits, normalizer, standardize } from "../../src/data/index.js";
import { add, build, dense, flatten, input, type Model, sequential, tensor } from "../../src/index.js";
import { adam, evaluate, type FitStep, fit, progressBar, sgd } from "../../src/train/index.js";

const loss = "sparseCategoricalCrossentropy";
const metrics = ["accuracy"] as const;
const classifier = (): Promise<Model> =>
  build(input([4]), sequential(dense(16, { activation: "relu" }), dense(3, { activation: "softmax" })), { seed: 1 });

/** Points whose class is the largest of their first three coordinates. */
function points(count: number) {
  const data = Float32Array.from({ length: count * 4 }, (_, i) => ((i * 7919 + 13) % 1009) / 1009);
  const labels = Int32Array.from({ length: count }, (_, i) => {
    const row = [...data.subarray(i * 4, i * 4 + 3)];
    return row.indexOf(Math.max(...row));
  });
  return { x: tensor(data, [count, 4]), y: tensor(labels) };
}

type Point = { x: number[]; y: number };
const elements = (count: number): Point[] => {
  const { x, y } = points(count);
  return Array.from(y.data, (label, i) => ({ x: [...x.data.subarray(i * 4, i * 4 + 4)], y: label }));
};

const sources: [string, (count: number) => Parameters<typeof fit>[1]][] = [
  ["samples of tensors", (n) => dataset(points(n))],
  ["batches of tensors", (n) => dataset(points(n)).batch(32)],
  ["plain objects", (n) => dataset(elements(n))],
  ["batches of plain objects", (n) => dataset(elements(n)).batch(32)],
  [
    "pairs",
    (n) =>
      dataset(points(n).x)
        .zip(dataset(points(n).y))
        .batch(32),
  ],
  ["a generator", (n) => dataset(function* () { yield* elements(n); })], // biome-ignore format: short
  ["an async generator of batches", (n) => dataset(async function* () { yield* dataset(points(n)).batch(32); })], // biome-ignore format: short
  ["a prefetched asynchronous map", (n) => dataset(elements(n)).map(async (e) => e).batch(32).prefetch(2)], // biome-ignore format: short
  ["batches of one input and one output as lists", (n) => dataset({ x: [points(n).x], y: [points(n).y] }).batch(32)],
];

describe("fit on a dataset", () => {
  test.each(sources)("of %s gives the bits of fit on the tensors in their order", async (_, source) => {
    const options = { optimizer: "adam", loss, metrics, epochs: 2, validation: points(40) } as const;
    const [a, b] = [await classifier(), await classifier()];
    const expected = await fit(a, points(70), { ...options, shuffle: false });
    const { history } = await fit(b, source(70), { ...options, validation: source(40) });
    expect(history).toEqual(expected.history);
    expect(b.weights()).toEqual(a.weights());
    expect(await evaluate(b, source(70), { loss, metrics })).toEqual(await evaluate(a, points(70), { loss, metrics }));
  });

  test("learns, in another order every epoch, repeatably", async () => {
    const run = async (seed: number) => {
      const model = await classifier();
      const data = dataset(points(300)).shuffle(seed).batch(32);
      const { history } = await fit(model, data, {
        optimizer: adam({ learningRate: 0.02 }),
        loss,
        metrics,
        epochs: 20,
      });
      expect(history.accuracy[19]).toBeGreaterThan(0.9);
      return model.weights();
    };
    const first = await run(1);
    expect(await run(1)).toEqual(first);
    expect(await run(2)).not.toEqual(first);
  });

  test("reads epoch after epoch, and goes on with the next one when resumed", async () => {
    const read: number[] = [];
    const data = dataset(function* (epoch) {
      read.push(epoch);
      yield* elements(8);
    });
    await fit(await classifier(), data, { optimizer: "sgd", loss, epochs: 3 });
    await fit(await classifier(), data, { optimizer: "sgd", loss, epochs: 5, initialEpoch: 3 });
    expect(read).toEqual([0, 1, 2, 3, 4]);
  });

  test("has several inputs and weights of samples", async () => {
    const [a, b] = [input([2]), input([2])];
    const make = async () => build([a, b], dense(1)(add(a, b)), { seed: 3 });
    const pair = tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const data = { x: [pair, pair], y: tensor([[1], [2], [3]]), sampleWeight: tensor([1, 0, 2]) };
    const [one, two, three] = [await make(), await make(), await make()];
    const options = { optimizer: "sgd", loss: "mse", epochs: 2 } as const;
    await fit(one, data, { ...options, shuffle: false });
    await fit(two, dataset(data), options);
    await fit(three, dataset({ x: data.x, y: data.y }), options);
    expect(two.weights()).toEqual(one.weights());
    expect(three.weights()).not.toEqual(one.weights());
  });

  test("takes class weights", async () => {
    const options = { optimizer: "sgd", loss, classWeight: { 0: 5, 2: 0.5 } } as const;
    const [a, b] = [await classifier(), await classifier()];
    await fit(a, points(70), { ...options, shuffle: false });
    await fit(b, dataset(points(70)), options);
    expect(b.weights()).toEqual(a.weights());
  });

  test("takes a table", async () => {
    const rows = elements(60).map(({ x, y }) => `${x.join(",")},${["a", "b", "c"][y]}`);
    const table = csv(`p,q,r,s,class\n${rows.join("\n")}`, { target: "class" });
    const x = standardize(table.x, normalizer(table.x));
    const [train, validation] = dataset({ x, y: table.y }).shuffle(1).split(0.8);
    const { history } = await fit(await classifier(), train.shuffle(2), {
      optimizer: "adam",
      loss,
      validation,
      epochs: 2,
    });
    expect(history.val_loss).toHaveLength(2);
  });

  test("changes pixels on the way, batches of any size, the last ones dropped", async () => {
    const model = await build(input([28, 28, 1]), sequential(flatten(), dense(10, { activation: "softmax" })));
    const data = dataset(digits({ count: 50 }))
      .map(({ x, y }) => ({
        x: tensor(
          (x.data as Float32Array).map((v) => 1 - v),
          x.shape,
        ),
        y,
      }))
      .batch(16, { dropRemainder: true });
    const steps: FitStep[] = [];
    for await (const step of fit(model, data, { optimizer: "sgd", loss })) steps.push(step);
    expect(steps.map(({ step, steps }) => [step, steps])).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
  });
});

describe("steps of a dataset without a known size", () => {
  const stream = dataset(function* () {
    yield* elements(70);
  });

  test("are unknown in the first epoch and then those of the last", async () => {
    const seen: unknown[] = [];
    for await (const { epoch, step, steps, secondsLeft } of fit(await classifier(), stream, {
      optimizer: "sgd",
      loss,
      epochs: 2,
    }))
      seen.push([epoch, step, steps, secondsLeft === undefined]);
    expect(seen).toEqual([
      [1, 1, undefined, true],
      [1, 2, undefined, true],
      [1, 3, undefined, true],
      [2, 1, 3, false],
      [2, 2, 3, false],
      [2, 3, 3, false],
    ]);
  });

  test("are counted by the progress bar, also when an epoch is longer than the last", async () => {
    let shown = "";
    const write = (text: string) => {
      shown += text;
    };
    const bar = progressBar({ stream: { isTTY: true, columns: 200, write }, interval: 0 });
    const growing = dataset((epoch) => elements(32 * (epoch + 1)));
    await fit(await classifier(), growing, { optimizer: "sgd", loss, epochs: 2, callbacks: [bar] });
    expect(shown).toMatch(/epoch 1\/2 step 1 {2}loss \d\.\d{4} {2}\d+ samples\/s/);
    expect(shown).toMatch(/epoch 2\/2 \[#{20}\] 2\/1 {2}loss/);
  });

  test("a dataset with a size knows them at once, whether batched or not", async () => {
    for (const data of [dataset(points(70)), dataset(points(70)).batch(32)]) {
      for await (const { steps } of fit(await classifier(), data, { optimizer: "sgd", loss })) expect(steps).toBe(3);
    }
  });
});

describe("a fit on a dataset that fails leaves the model as it was, and names the sample", () => {
  const spoilt = (at: number, change: Partial<Record<"x" | "y" | "sampleWeight", unknown>>) =>
    dataset(function* () {
      for (const [i, element] of elements(100).entries()) yield i === at ? { ...element, ...change } : element;
    });
  const cases: [string, Parameters<typeof fit>[1] | Dataset<never>, string, object?][] = [
    ["a label out of range", spoilt(77, { y: 3 }), "expected integer labels in [0, 2], got 3 (sample 77)"],
    ["a label out of range in a batch", spoilt(77, { y: 3 }).batch(10), "got 3 (sample 77)"],
    ["NaN", spoilt(64, { x: [0, 1, Number.NaN, 2] }), 'input "input" [32, 4], got NaN (sample 64)'],
    ["a sample of another shape", spoilt(40, { x: [1, 2] }), "as in element 32, got [2] (element 40)"],
    [
      "a sample without a label",
      spoilt(90, { y: undefined }),
      "expected elements { x, y } or [x, y], got no y (element 90)",
    ],
    [
      "batches of another shape",
      dataset({ x: tensor([[1, 2]]), y: tensor([1]) }).batch(1),
      "expected [batch, 4], got [1, 2]",
    ],
    [
      "later batches of another shape",
      dataset([points(8), { x: tensor([[1, 2]]), y: tensor([1]) }]),
      "expected [batch, 4], got [1, 2] (from sample 8 on)",
    ],
    ["a source that fails", dataset(elements(64)).map((e, i) => { if (i === 50) throw new Error("no disk"); return e; }), "no disk"], // biome-ignore format: short
    ["elements that are none", dataset([1, 2]) as never, "expected elements { x, y } or [x, y], got no x (element 0)"],
    ["null", dataset([null]) as never, "got no x (element 0)"],
    ["no elements", dataset([] as Point[]), "expected at least one sample, got none in epoch 1"],
    [
      "an iterator, in the second epoch",
      dataset(elements(64)[Symbol.iterator]()),
      "makes the iterable for every epoch",
    ],
    ["no end", dataset(elements(4)).repeat(), "fit: expected a dataset with an end"],
    [
      "a share as validation",
      dataset(elements(4)),
      "expected examples as validation (a dataset has split)",
      { validation: 0.2 },
    ],
    [
      "weights as an option",
      dataset(elements(2)),
      "expected sampleWeight in the dataset's elements",
      { sampleWeight: [1, 1] },
    ],
    ["a weight for one sample only", spoilt(50, { sampleWeight: 1 }), "got x, y, sampleWeight (element 50)"],
    [
      "a negative weight",
      dataset(elements(64)).map((e, i) => ({ ...e, sampleWeight: i === 50 ? -1 : 1 })),
      "sampleWeight of finite numbers of at least 0, got -1 (sample 50)",
    ],
    ["validation that is wrong", dataset(elements(4)), "got 9 (sample 5)", { validation: dataset([...elements(5), { x: [1, 2, 3, 4], y: 9 }]) }], // biome-ignore format: short
  ];
  test.each(cases)("%s", async (_, data, message, options = {}) => {
    const model = await classifier();
    const before = model.weights();
    const run = fit(model, data as never, { optimizer: sgd({ learningRate: 0.1 }), loss, epochs: 2, ...options });
    await expect(Promise.resolve(run)).rejects.toThrow(message);
    expect(model.weights()).toEqual(before);
  });

  test("evaluate names it, too", async () => {
    const run = evaluate(await classifier(), spoilt(77, { y: 3 }), { loss });
    await expect(run).rejects.toThrow("got 3 (sample 77)");
    await expect(evaluate(await classifier(), dataset([] as Point[]), { loss })).rejects.toThrow("at least one sample");
  });
});

test("leaving the loop closes the source; the model keeps the steps done", async () => {
  let closed = false;
  const data = dataset(function* () {
    try {
      yield* elements(100);
    } finally {
      closed = true;
    }
  });
  const model = await classifier();
  const before = model.weights();
  for await (const { step } of fit(model, data, { optimizer: "adam", loss })) if (step === 2) break;
  expect(closed).toBe(true);
  expect(model.weights()).not.toEqual(before);
});

test("batches of many sizes do not pile up memory", async () => {
  const model = await classifier();
  const sizes = dataset((epoch) => Array.from({ length: 20 }, (_, i) => points(1 + ((i * 7 + epoch) % 20))));
  const run = () => evaluate(model, sizes, { loss });
  await run();
  const before = model.plan().memory;
  for (let i = 0; i < 10; i++) await run();
  expect(model.plan().memory).toBe(before);
  await fit(model, sizes, { optimizer: "adam", loss, epochs: 2 });
});

test("an abort does not wait for an element that never comes; the model keeps the steps done", async () => {
  const controller = new AbortController();
  const data = dataset(async function* () {
    yield* elements(32);
    setTimeout(() => controller.abort(new Error("enough")), 1);
    await new Promise(() => {});
  });
  const [model, other] = [await classifier(), await classifier()];
  const run = fit(model, data, { optimizer: "adam", loss, signal: controller.signal });
  await expect(Promise.resolve(run)).rejects.toThrow("enough");
  await fit(other, dataset(elements(32)), { optimizer: "adam", loss });
  expect(model.weights()).toEqual(other.weights());
});

test("a signal that nobody uses changes nothing", async () => {
  const { signal } = new AbortController();
  const [model, other] = [await classifier(), await classifier()];
  await fit(model, dataset(elements(70)), { optimizer: "adam", loss, signal, epochs: 2 });
  await fit(other, dataset(elements(70)), { optimizer: "adam", loss, epochs: 2 });
  expect(model.weights()).toEqual(other.weights());
});
