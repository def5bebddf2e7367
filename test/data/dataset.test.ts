// Pipelines against the array methods they are named after, over every kind of source.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Dataset, dataset } from "../../src/data/index.js";
import { type Tensor, tensor } from "../../src/index.js";

async function collect<T>(data: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const element of data) all.push(element);
  return all;
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);
const sorted = (list: readonly number[]) => [...list].sort((a, b) => a - b);
const values = (t: unknown) => Array.from((t as Tensor).data);

/** The same elements as a source with random access and as streams. */
const sources: Record<string, (list: readonly number[]) => Dataset<number>> = {
  array: (list) => dataset(list),
  set: (list) => dataset(new Set(list)),
  generator: (list) =>
    dataset(function* () {
      yield* list;
    }),
  "async generator": (list) =>
    dataset(async function* () {
      yield* list;
    }),
  "asynchronous map": (list) => dataset(list).map(async (x) => x),
};
const anySource = fc.constantFrom(...Object.keys(sources));
const anyList = fc.uniqueArray(fc.integer(), { maxLength: 40 });

type Step = readonly [
  name: string,
  onDataset: (d: Dataset<number>) => Dataset<number>,
  onArray: (a: number[]) => number[],
];
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.nat(50).map((n): Step => [`take ${n}`, (d) => d.take(n), (a) => a.slice(0, n)]),
  fc.nat(50).map((n): Step => [`skip ${n}`, (d) => d.skip(n), (a) => a.slice(n)]),
  fc.nat(9).map((n): Step => [`map +${n}`, (d) => d.map((x, i) => x + n * i), (a) => a.map((x, i) => x + n * i)]),
  fc.nat(3).map((n): Step => [`repeat ${n}`, (d) => d.repeat(n), (a) => Array.from({ length: n }, () => a).flat()]),
  fc.integer({ min: 1, max: 5 }).map((n): Step => [`prefetch ${n}`, (d) => d.prefetch(n), (a) => a]),
  anyList.map((b): Step => [`concat ${b.length}`, (d) => d.concat(dataset(b)), (a) => [...a, ...b]]),
  anyList.map(
    (b): Step => [
      `zip ${b.length}`,
      (d) => d.zip(dataset(b)).map(([x, y]) => x - y),
      (a) => a.slice(0, b.length).map((x, i) => x - b[i]),
    ],
  ),
  fc.nat(30).map(
    (n): Step => [
      `halves joined ${n}`,
      (d) => {
        const [first, rest] = d
          .take(60)
          .skip(0)
          .repeat(1)
          .concat(dataset(numbers(n)))
          .split(n);
        return rest.concat(first);
      },
      (a) => {
        const all = [...a.slice(0, 60), ...numbers(n)];
        return [...all.slice(n), ...all.slice(0, n)];
      },
    ],
  ),
);

test("any pipeline gives what the array methods give, twice, and knows its size or says that it does not", async () => {
  await fc.assert(
    fc.asyncProperty(anySource, anyList, fc.array(anyStep, { maxLength: 5 }), async (source, list, steps) => {
      const piped = steps.reduce((d, [, step]) => step(d), sources[source](list));
      const expected = steps.reduce((a, [, , step]) => step(a), [...list]);
      expect(await collect(piped)).toEqual(expected);
      expect(await collect(piped.elements(3))).toEqual(expected);
      if (piped.size !== undefined) expect(piped.size).toBe(expected.length);
      else expect(source).toMatch(/generator|set/);
    }),
    { numRuns: 300 },
  );
});

test("batches are slices, stacked; only the last may be smaller, and dropRemainder leaves it out", async () => {
  await fc.assert(
    fc.asyncProperty(
      anySource,
      anyList,
      fc.integer({ min: 1, max: 9 }),
      fc.boolean(),
      async (source, list, n, drop) => {
        const floats = list.map(Math.fround);
        const batches = sources[source](list).batch(n, { dropRemainder: drop });
        const got = await collect(batches);
        const count = drop ? Math.floor(list.length / n) : Math.ceil(list.length / n);
        expect(got.map(values)).toEqual(numbers(count).map((i) => floats.slice(i * n, (i + 1) * n)));
        expect(got.map(({ shape }) => shape)).toEqual(got.map(({ data }) => [data.length]));
        if (batches.size !== undefined) expect(batches.size).toBe(count);
      },
    ),
  );
});

describe("shuffle", () => {
  test("gives every element exactly once, another order per epoch and seed, the same for the same", async () => {
    await fc.assert(
      fc.asyncProperty(
        anySource,
        anyList,
        fc.nat(),
        fc.integer({ min: 1, max: 60 }),
        async (source, list, seed, buffer) => {
          const shuffled = sources[source](list).shuffle(seed, { buffer });
          for (const epoch of [0, 1]) {
            const order = await collect(shuffled.elements(epoch));
            expect(sorted(order)).toEqual(sorted(list));
            expect(await collect(shuffled.elements(epoch))).toEqual(order);
          }
        },
      ),
    );
    for (const source of Object.keys(sources)) {
      const one = sources[source](numbers(100)).shuffle(1, { buffer: 50 });
      const two = sources[source](numbers(100)).shuffle(2, { buffer: 50 });
      const orders = await Promise.all([one, one.elements(1), two].map(collect));
      expect(new Set(orders.map(String)).size, source).toBe(3);
    }
  });

  test("of random access is complete and fair: each element comes to each place about as often", async () => {
    const counts = numbers(5).map(() => numbers(5).map(() => 0));
    const five = dataset(numbers(5)).shuffle(7);
    for (let epoch = 0; epoch < 2000; epoch++) {
      for (const [place, x] of (await collect(five.elements(epoch))).entries()) counts[place][x]++;
    }
    // 400 each, standard deviation 18
    expect(Math.min(...counts.flat())).toBeGreaterThan(310);
    expect(Math.max(...counts.flat())).toBeLessThan(490);
  });

  test("of a stream holds no more than its buffer", async () => {
    let made = 0;
    const stream = dataset(function* () {
      for (;;) yield made++;
    });
    const first = await collect(stream.shuffle(0, { buffer: 10 }).take(5));
    expect(made).toBeLessThanOrEqual(15);
    expect(Math.max(...first)).toBeLessThan(15);
    expect(() => stream.shuffle(0)).toThrow("shuffle: expected options.buffer");
  });

  test("after repeat mixes the epochs, before it shuffles each on its own", async () => {
    const before = await collect(dataset(numbers(10)).shuffle(1).repeat(3));
    const parts = [0, 10, 20].map((i) => before.slice(i, i + 10));
    for (const part of parts) expect(sorted(part)).toEqual(numbers(10));
    expect(new Set(parts.map(String)).size).toBe(3);
    const epochs = await Promise.all(
      [3, 4, 5].map((epoch) => collect(dataset(numbers(10)).shuffle(1).elements(epoch))),
    );
    expect(await collect(dataset(numbers(10)).shuffle(1).repeat(3).elements(1))).toEqual(epochs.flat());
    const after = await collect(dataset(numbers(10)).repeat(3).shuffle(1));
    expect(sorted(after)).toEqual(numbers(30).map((i) => Math.floor(i / 3)));
    expect(sorted(after.slice(0, 10))).not.toEqual(numbers(10));
  });

  test("keeps samples and labels together", async () => {
    const data = dataset({ x: tensor(numbers(20).map((i) => [i, -i])), y: tensor(new Int32Array(numbers(20))) });
    for await (const { x, y } of data.shuffle(3).batch(6)) {
      expect(values(x)).toEqual(values(y).flatMap((i) => [i, i === 0 ? -0 : -i]));
    }
  });
});

describe("split", () => {
  test("is a partition, in every epoch the same, also of what was shuffled before", async () => {
    const parts = fc.oneof(
      fc.array(fc.double({ min: 0.01, max: 0.3, noNaN: true }), { minLength: 1, maxLength: 3 }),
      fc.array(fc.nat(10), { minLength: 1, maxLength: 3 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 30, max: 60 }), parts, fc.nat(), async (count, sizes, seed) => {
        const split = dataset(numbers(count))
          .shuffle(seed)
          .split(...sizes) as Dataset<number>[];
        expect(split).toHaveLength(sizes.length + 1);
        const first = await Promise.all(split.map(collect));
        expect(sorted(first.flat())).toEqual(numbers(count));
        expect(first.map((part) => part.length)).toEqual(split.map(({ size }) => size));
        for (const [i, part] of split.entries()) {
          expect(await collect(part.elements(5))).toEqual(first[i]);
          expect(sorted(await collect(part.shuffle(1).elements(5)))).toEqual(sorted(first[i]));
        }
      }),
    );
  });

  test("rounds shares to the nearest element, and shares of 1 together leave nothing over", () => {
    const sizes = (...shares: number[]) =>
      (dataset(numbers(10)).split(...shares) as Dataset<number>[]).map((d) => d.size);
    expect(sizes(0.8)).toEqual([8, 2]);
    expect(sizes(0.75)).toEqual([8, 2]);
    expect(sizes(0.7, 0.15, 0.15)).toEqual([7, 2, 1, 0]);
    expect(sizes(3, 0, 4)).toEqual([3, 0, 4, 3]);
  });

  test("of a stream goes by sizes", async () => {
    const stream = dataset(function* () {
      yield* numbers(7);
    });
    const [first, rest] = stream.split(3);
    expect([await collect(first), await collect(rest)]).toEqual([
      [0, 1, 2],
      [3, 4, 5, 6],
    ]);
    expect(() => stream.split(0.5)).toThrow("split: expected sizes as whole numbers, as the number of elements is not");
  });
});

describe("sources", () => {
  test("{ x, y } gives rows that share memory with the tensors", async () => {
    const x = tensor([[1, 2], [3, 4]]); // biome-ignore format: a matrix
    const data = dataset({ x: [x, x], y: tensor([5, 6], [2], "int32"), name: "ignored" });
    const [first, second] = await collect(data);
    expect(first).toEqual({ x: [tensor([1, 2]), tensor([1, 2])], y: tensor(5, [], "int32") });
    x.data[2] = 30;
    expect(values(second.x[0])).toEqual([30, 4]);
    const [batch] = await collect(data.batch(2));
    expect(batch).toEqual({ x: [x, x], y: tensor([5, 6], [2], "int32") });
  });

  test("a tensor gives its rows, a typed array its numbers", async () => {
    expect(await collect(dataset(tensor([[1], [2]])))).toEqual([tensor([1]), tensor([2])]);
    expect(await collect(dataset(new Float32Array([1, 2])).map((x) => x * 2))).toEqual([2, 4]);
  });

  test("a function is called for every epoch", async () => {
    const epochs: number[] = [];
    const data = dataset((epoch) => {
      epochs.push(epoch);
      return [epoch];
    });
    expect(await collect(data.repeat(3))).toEqual([0, 1, 2]);
    expect(await collect(data.repeat(3).elements(2))).toEqual([6, 7, 8]);
    expect(epochs).toEqual([0, 1, 2, 6, 7, 8]);
  });

  test.each([
    ["an iterator", () => [1, 2][Symbol.iterator]()],
    ["a generator object", () => (function* () { yield* [1, 2]; })()], // biome-ignore format: short
    ["a ReadableStream", () => new Response("ab").body as unknown as Iterable<unknown>],
  ])("%s can be read once, and says so the second time", async (_, make) => {
    const data = dataset(make() as Iterable<unknown>);
    expect((await collect(data)).length).toBeGreaterThan(0);
    await expect(collect(data)).rejects.toThrow("expected a function that makes the iterable for every epoch");
  });

  test.each([
    ["a number", 5],
    ["text", "abc"],
    ["null", null],
    ["an object", {}],
    ["x that is no tensor", { x: [1, 2] }],
    ["no inputs", { x: [] }],
    ["a DataView", new DataView(new ArrayBuffer(2))],
  ])("%s is refused", (_, source) => {
    expect(() => dataset(source as never)).toThrow(TypeError);
  });

  test("tensors of different counts are refused", () => {
    const data = { x: tensor([[1], [2]]), y: tensor([1, 2, 3]) };
    expect(() => dataset(data)).toThrow("dataset: expected as many samples in every tensor, got 2 and 3");
    expect(() => dataset({ x: tensor(1) })).toThrow("a first axis");
  });

  test("a function that makes nothing to iterate is refused when read", async () => {
    await expect(collect(dataset((() => 5) as never))).rejects.toThrow(TypeError);
  });
});

describe("batch", () => {
  test("stacks numbers, booleans, nested arrays, typed arrays and tensors, and keeps the structure around them", async () => {
    const element = (i: number) => ({
      n: i,
      b: i > 0,
      nested: [[i, 1], [2, 3]], // biome-ignore format: a matrix
      typed: Int32Array.of(i, 7),
      deep: [{ t: tensor([[i]], [1, 1], "uint8") }] as const,
    });
    const [batch] = await collect(dataset([element(0), element(1)]).batch(2));
    expect(batch).toEqual({
      n: tensor([0, 1]),
      b: tensor([false, true]),
      nested: tensor([[[0, 1], [2, 3]], [[1, 1], [2, 3]]]), // biome-ignore format: matrices
      typed: tensor([0, 7, 1, 7], [2, 2], "int32"),
      deep: [{ t: tensor([[[0]], [[1]]], [2, 1, 1], "uint8") }],
    });
  });

  test.each([
    [
      "another shape",
      [[1, 2], [3, 4], [5]],
      "expected elements of one shape, [2] as in element 0, got [1] (element 2)",
    ],
    ["another dtype", [1, true], "expected elements of one dtype, float32 as in element 0, got bool (element 1)"],
    ["text", [1, "2"], "got string (element 1)"],
    ["a missing part", [{ a: 1 }, {}], "expected elements of the parts a, as in element 0, got none (element 1)"],
    ["another part", [{ a: 1 }, { a: 1, b: 2 }], "got a, b (element 1)"],
    ["null", [null], "got null (element 0)"],
    ["float64", [new Float64Array(1)], "got Float64Array"],
  ])("%s is refused with the element's number", async (_, list, message) => {
    for (const source of [dataset(list as unknown[]), dataset(new Set(list as unknown[]))]) {
      await expect(collect(source.batch(4))).rejects.toThrow(message);
    }
  });

  test("counts elements over batches", async () => {
    await expect(collect(dataset([1, 2, 3, 4, 5, [6]]).batch(2))).rejects.toThrow(
      "as in element 4, got [1] (element 5)",
    );
  });
});

describe("prefetch", () => {
  test("asks ahead, but not further, and reads random access side by side", async () => {
    let running = 0;
    let most = 0;
    let asked = 0;
    const slow = dataset(numbers(20)).map(async (x) => {
      asked++;
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running--;
      return x;
    });
    const seen: number[] = [];
    for await (const x of slow.prefetch(4)) {
      seen.push(x);
      expect(asked).toBeLessThanOrEqual(x + 5);
    }
    expect(seen).toEqual(numbers(20));
    expect(most).toBe(4);
  });

  test("gives an error when its turn comes, after the elements before it", async () => {
    const failing = dataset(numbers(9)).map((x) => {
      if (x === 5) throw new Error("five");
      return x;
    });
    const seen: number[] = [];
    await expect(async () => {
      for await (const x of failing.prefetch(4)) seen.push(x);
    }).rejects.toThrow("five");
    expect(seen).toEqual(numbers(5));
  });

  test("who leaves early is let go, though the source never answers; and the source is closed", async () => {
    let closed = false;
    const stuck = dataset(async function* () {
      try {
        yield 1;
        yield 2;
      } finally {
        closed = true;
      }
    });
    for await (const _ of stuck.prefetch(1)) break;
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(closed).toBe(true);
    const silent = dataset(async function* () {
      yield 1;
      await new Promise(() => {});
    });
    for await (const _ of silent.prefetch(3)) break;
  });
});

test("leaving a loop closes the source through every operation", async () => {
  let closed = 0;
  const source = dataset(function* () {
    try {
      for (;;) yield 1;
    } finally {
      closed++;
    }
  });
  const piped = source.map((x) => x).shuffle(0, { buffer: 3 }).repeat().zip(source).batch(2).skip(1); // biome-ignore format: a pipeline
  for await (const _ of piped) break;
  expect(closed).toBe(2);
});

test("repeat without a count goes on for ever, but not over nothing", async () => {
  expect(await collect(dataset([1, 2]).repeat().take(5))).toEqual([1, 2, 1, 2, 1]);
  expect(dataset([1, 2]).repeat().size).toBe(Number.POSITIVE_INFINITY);
  expect(await collect(dataset([]).repeat())).toEqual([]);
  expect(await collect(dataset(new Set([])).repeat())).toEqual([]);
  expect(dataset([1]).repeat().repeat(0).size).toBe(0);
});

test("map gets the index and the epoch", async () => {
  const data = dataset(["a", "b"]).map((x, index, epoch) => `${x}${index}${epoch}`);
  expect(await collect(data.repeat(2))).toEqual(["a00", "b10", "a01", "b11"]);
});

test("nothing is read before it is needed", async () => {
  const read: number[] = [];
  const data = dataset(numbers(100)).map((x) => {
    read.push(x);
    return x;
  });
  await collect(data.skip(90).batch(2).take(2));
  expect(read).toEqual([90, 91, 92, 93]);
});

test.each([
  ["batch(0)", (d: Dataset<number>) => d.batch(0)],
  ["batch(1.5)", (d: Dataset<number>) => d.batch(1.5)],
  ["take(-1)", (d: Dataset<number>) => d.take(-1)],
  ["skip(NaN)", (d: Dataset<number>) => d.skip(Number.NaN)],
  ["repeat(-1)", (d: Dataset<number>) => d.repeat(-1)],
  ["shuffle(-1)", (d: Dataset<number>) => d.shuffle(-1)],
  ["shuffle(0.5)", (d: Dataset<number>) => d.shuffle(0.5)],
  ["shuffle without a seed", (d: Dataset<number>) => d.shuffle(undefined as never)],
  ["a buffer of 0", (d: Dataset<number>) => d.shuffle(1, { buffer: 0 })],
  ["prefetch(0)", (d: Dataset<number>) => d.prefetch(0)],
  ["split()", (d: Dataset<number>) => d.split()],
  ["split(1.5)", (d: Dataset<number>) => d.split(1.5)],
  ["split(0.5, 0.6)", (d: Dataset<number>) => d.split(0.5, 0.6)],
  ["split(0.5, 2)", (d: Dataset<number>) => d.split(0.5, 2)],
  ["split(2, 2)", (d: Dataset<number>) => d.split(2, 2)],
  ["split(-1)", (d: Dataset<number>) => d.split(-1)],
  ["zip with an array", (d: Dataset<number>) => d.zip([1] as never)],
  ["map of nothing", (d: Dataset<number>) => d.map(undefined as never)],
])("%s is refused at once", (_, wrong) => {
  expect(() => wrong(dataset([1, 2, 3]))).toThrow(/^\w+: expected .*, got /);
});
