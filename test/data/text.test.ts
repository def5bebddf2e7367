import fc from "fast-check";
import { expect, test } from "vitest";
import { bytes, characters, textSequences } from "../../src/data/index.js";
import { tensor } from "../../src/tensor.js";

const all = async <T>(elements: AsyncIterable<T>): Promise<T[]> => {
  const list: T[] = [];
  for await (const element of elements) list.push(element);
  return list;
};

test("characters are ordered by their numbers, emoji whole, and any text of them comes back", () => {
  const vocabulary = characters("b😀a\nb");
  expect(vocabulary.symbols).toEqual(["\n", "a", "b", "😀"]);
  expect([...vocabulary.encode("😀a")]).toEqual([3, 1]);
  expect(characters(vocabulary.symbols.join("")).symbols).toEqual(vocabulary.symbols);
  const text = fc.string({ unit: fc.constantFrom(...vocabulary.symbols) });
  fc.assert(fc.property(text, (given) => vocabulary.decode(vocabulary.encode(given)) === given));
});

test("any text comes back from its bytes", () => {
  const vocabulary = bytes();
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (given) => vocabulary.decode(vocabulary.encode(given)) === given),
  );
  expect([...vocabulary.encode("\ufeff")]).toEqual([239, 187, 191]);
  expect(vocabulary.decode(vocabulary.encode("\ufeffx"))).toBe("\ufeffx");
});

test("text and tokens that a vocabulary does not have are refused with their place", () => {
  const vocabulary = characters("abc");
  expect(() => vocabulary.encode("a😀é")).toThrow(
    'characters: expected one of the 3 characters of the vocabulary, got "😀" (character 1)',
  );
  expect(() => vocabulary.decode([0, 3])).toThrow("expected tokens, whole numbers in [0, 2], got 3 (element 1)");
  expect(() => bytes().decode([256])).toThrow("bytes: expected tokens, whole numbers in [0, 255], got 256 (element 0)");
  expect(() => characters("")).toThrow("characters: expected a text with characters, got an empty one");
  expect(() => characters(3 as never)).toThrow("characters: expected a text, got 3");
  expect(vocabulary.encode("").length).toBe(0);
  expect(vocabulary.decode([])).toBe("");
});

test("sequences one after the other cover the text once, targets one later", async () => {
  const tokens = Int32Array.from({ length: 11 }, (_, i) => i);
  const found = await all(textSequences(tokens, { length: 5 }));
  expect(found.map(({ x, y }) => [[...x.data], [...y.data]])).toEqual([
    [
      [0, 1, 2, 3, 4],
      [1, 2, 3, 4, 5],
    ],
    [
      [5, 6, 7, 8, 9],
      [6, 7, 8, 9, 10],
    ],
  ]);
  expect(textSequences(tokens.subarray(0, 10), { length: 5 }).size).toBe(1);
  const near = await all(textSequences(tokens, { length: 5, stride: 2 }));
  expect(near.map(({ x }) => x.data[0])).toEqual([0, 2, 4]);
});

test("a text of just one sequence and its target is enough, one token less is not", async () => {
  expect(await all(textSequences([7, 8, 9], { length: 2, count: 3 }))).toEqual(
    Array(3).fill({ x: tensor([7, 8], [2], "int32"), y: tensor([8, 9], [2], "int32") }),
  );
  const expected = "at least 3 tokens, for a sequence of 2 and the token after it";
  expect(() => textSequences([7, 8], { length: 2 })).toThrow(`textSequences: expected ${expected}, got 2`);
  expect(() => textSequences([], { length: 2, count: 1 })).toThrow(`textSequences: expected ${expected}, got 0`);
});

test("drawn sequences start anywhere, in each epoch elsewhere, and the same for the same seed", async () => {
  const tokens = Int32Array.from({ length: 40 }, (_, i) => i);
  const starts = async (seed: number, epoch: number) => {
    const found = await all(textSequences(tokens, { length: 8, count: 2000, seed }).elements(epoch));
    const follow = found.every(({ x, y }) => x.data.every((t, i) => t === x.data[0] + i && y.data[i] === t + 1));
    expect(follow).toBe(true);
    return found.map(({ x }) => x.data[0]);
  };
  const first = await starts(1, 0);
  const counts = Array.from({ length: 32 }, (_, at) => first.filter((start) => start === at).length);
  expect(first.every((start) => start < 32)).toBe(true);
  // 2000 draws of 32: 62.5 each. Chi squared with 31 degrees of freedom is above 61 once in a thousand times.
  expect(counts.reduce((sum, n) => sum + (n - 62.5) ** 2 / 62.5, 0)).toBeLessThan(61);
  expect(await starts(1, 0)).toEqual(first);
  expect(await starts(1, 1)).not.toEqual(first);
  expect(await starts(2, 0)).not.toEqual(first);
});

test.each<[string, () => unknown, string]>([
  ["a length of 0", () => textSequences([1, 2], { length: 0 }), "length to be a whole number of at least 1, got 0"],
  ["no length", () => textSequences([1, 2], {} as never), "length to be a whole number of at least 1, got undefined"],
  ["a count of 0", () => textSequences([1, 2], { length: 1, count: 0 }), "count to be a whole number of at least 1"],
  ["a seed for nothing", () => textSequences([1, 2], { length: 1, seed: 1 }), "got seed without count"],
  ["two ways at once", () => textSequences([1, 2], { length: 1, count: 1, stride: 1 }), "got both stride and count"],
  ["a fraction", () => textSequences([1, 0.5], { length: 1 }), "whole numbers in [0, 2147483647], got 0.5 (element 1)"],
  ["a text", () => textSequences("text" as never, { length: 1 }), 'an array or a tensor of rank 1, got "text"'],
  ["a matrix", () => textSequences(tensor([[1, 2]]), { length: 1 }), "a tensor of rank 1, got one of rank 2"],
  ["an option there is not", () => textSequences([1, 2], { length: 1, block: 1 } as never), 'got "block"'],
])("%s is refused", (_, make, message) => {
  expect(make).toThrow(message);
});
