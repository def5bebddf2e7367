import { expect, test } from "vitest";
import { windows } from "../../src/data/index.js";
import { type Tensor, tensor } from "../../src/tensor.js";

const all = async <T>(elements: AsyncIterable<T>): Promise<T[]> => {
  const list: T[] = [];
  for await (const element of elements) list.push(element);
  return list;
};
const numbers = ({ data }: Tensor) => [...data];
const ten = Float32Array.from({ length: 10 }, (_, i) => i);

// keras.utils.timeseries_dataset_from_array(arange(10), None, sequence_length, sequence_stride, sampling_rate), worked out by its text
test.each([
  [{ length: 4, stride: 3 }, [0, 3, 6], [0, 1, 2, 3]],
  [{ length: 3, samplingRate: 2 }, [0, 1, 2, 3, 4, 5], [0, 2, 4]],
  [{ length: 3, samplingRate: 3, stride: 2 }, [0, 2], [0, 3, 6]],
  [{ length: 10 }, [0], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
  [{ length: 2, startIndex: 3, endIndex: 7 }, [3, 4, 5], [3, 4]],
])("windows %j start at %j", async (options, starts, first) => {
  const data = windows(ten, options);
  const found = await all(data);
  expect(data.size).toBe(found.length);
  expect(found.map((x) => x.data[0])).toEqual(starts);
  expect(numbers(found[0])).toEqual(first);
});

test("a horizon takes the steps that follow, at the window's rate", async () => {
  const found = await all(windows(ten, { length: 2, horizon: 2, samplingRate: 2, stride: 2 }));
  expect(found.map(({ x, y }) => [numbers(x), numbers(y)])).toEqual([
    [
      [0, 2],
      [4, 6],
    ],
    [
      [2, 4],
      [6, 8],
    ],
  ]);
});

test("targets are those of a window's first step, and end the windows where they end", async () => {
  const targets = tensor(Int32Array.from([10, 11, 12, 13]), [4]);
  const found = await all(windows(ten, { length: 3, stride: 2, startIndex: 1, targets }));
  expect(found.map(({ x, y }) => [x.data[0], y.data[0]])).toEqual([
    [1, 11],
    [3, 13],
  ]);
});

test("a step may be a row of a tensor of any dtype", async () => {
  const series = tensor(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]), [4, 2]);
  const [first, second] = await all(windows(series, { length: 2, samplingRate: 2 }));
  expect(first).toEqual(tensor(new Uint8Array([1, 2, 5, 6]), [2, 2]));
  expect(second).toEqual(tensor(new Uint8Array([3, 4, 7, 8]), [2, 2]));
  const [batch] = await all(windows(series, { length: 3, horizon: 1 }).batch(4));
  expect([batch.x.shape, batch.y.shape]).toEqual([
    [1, 3, 2],
    [1, 1, 2],
  ]);
});

test.each<[string, () => unknown, string]>([
  [
    "a length of 0",
    () => windows(ten, { length: 0 }),
    "windows: expected length to be a whole number of at least 1, got 0",
  ],
  [
    "a series too short",
    () => windows(ten, { length: 11 }),
    "windows: expected at least 11 steps for one window, got 10",
  ],
  ["no steps", () => windows([], { length: 1 }), "expected at least 1 steps for one window, got 0"],
  ["gaps too wide", () => windows(ten, { length: 4, samplingRate: 4 }), "at least 13 steps for one window, got 10"],
  ["a horizon too far", () => windows(ten, { length: 9, horizon: 2 }), "at least 11 steps for one window, got 10"],
  ["an end beyond the end", () => windows(ten, { length: 1, endIndex: 11 }), "endIndex to be at most 10, got 11"],
  ["an end before the start", () => windows(ten, { length: 1, startIndex: 5, endIndex: 5 }), "for one window, got 0"],
  [
    "no targets",
    () => windows(ten, { length: 1, targets: tensor([], [0]) }),
    "at least 1 targets for one window, got 0",
  ],
  ["both", () => windows(ten, { length: 1, horizon: 1, targets: tensor([1]) } as never), "either horizon or targets"],
  [
    "a scalar",
    () => windows(tensor(new Float32Array(1), []), { length: 1 }),
    "expected steps along a first axis, got []",
  ],
  [
    "rows of an array",
    () => windows([[1, 2]] as never, { length: 1 }),
    "several for each step as a tensor, got an array (element 0)",
  ],
  ["an option there is not", () => windows(ten, { length: 1, size: 1 } as never), 'got "size"'],
])("%s is refused", (_, make, message) => {
  expect(make).toThrow(message);
});
