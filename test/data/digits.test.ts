import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { digits } from "../../src/data/digits.js";
import { glyphs, strokes } from "../../src/data/glyphs.js";
import { draws, philox } from "../../src/philox.js";

const PIXELS = 784;

test.each([
  [[0, 0, 0, 0], [0, 0], "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
  [[-1, -1, -1, -1], [-1, -1], "408f276d 41c83b0e a20bc7c6 6d5451fd"],
  [[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0], "d16cfe09 94fdcceb 5001e420 24126ea1"],
])("philox of counter %j and key %j is as in the known answers of Random123", (counter, key, answer) => {
  const block = new Uint32Array(4);
  philox(Uint32Array.from(counter), key[0], key[1], block);
  expect(Array.from(block, (word) => word.toString(16).padStart(8, "0")).join(" ")).toBe(answer);
});

test("draws depend on both halves of the seed and of the index, and stay in their ranges", () => {
  const first = (seed: number, index: number) => draws(seed, index).bits();
  const firsts = [first(1, 1), first(1 + 2 ** 32, 1), first(1, 1 + 2 ** 32), first(2, 1), first(1, 2)];
  expect(new Set(firsts).size).toBe(firsts.length);
  const random = draws(7, 0);
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < 20000; i++) {
    const u = random.uniform(2, 3);
    expect(u >= 2 && u < 3).toBe(true);
    const b = random.bell();
    expect(Math.abs(b) <= 1).toBe(true);
    sum += b;
    squares += b * b;
  }
  expect(Math.abs(sum / 20000)).toBeLessThan(0.01);
  expect(Math.sqrt(squares / 20000)).toBeCloseTo(0.29, 2);
});

test("every glyph is made of strokes of at least three points near the unit square", () => {
  expect(glyphs.length).toBe(10);
  for (const stroke of glyphs.flat().flatMap(strokes)) {
    expect(stroke.length % 2).toBe(0);
    expect(stroke.length).toBeGreaterThanOrEqual(6);
    expect(stroke.every((v) => v >= -0.15 && v <= 1.15)).toBe(true);
  }
});

test("digits are these very bits, in every engine", () => {
  const { x, y } = digits({ count: 1000, seed: 42 });
  const hash = createHash("sha256").update(x.data).update(y.data).digest("hex");
  expect(hash).toBe("9a72f7af7bda7cad31a5090cea43e94d0b757029368645832100f6c1ee195b5c");
});

test("digits come as float32 [n, 28, 28, 1] in whole 255ths and int32 [n]", () => {
  const { x, y } = digits({ count: 23, seed: 5 });
  expect([x.dtype, x.shape, y.dtype, y.shape]).toEqual(["float32", [23, 28, 28, 1], "int32", [23]]);
  const whole = x.data.every((v) => v >= 0 && v <= 1 && Math.fround(Math.round(v * 255) / 255) === v);
  expect(whole).toBe(true);
});

test("a longer set starts with the shorter one", () => {
  const long = digits({ count: 37, seed: 9 });
  const short = digits({ count: 13, seed: 9 });
  expect(short.x.data).toEqual(long.x.data.slice(0, 13 * PIXELS));
  expect(short.y.data).toEqual(long.y.data.slice(0, 13));
});

test("each ten samples hold each digit once, in an order that the seed shuffles", () => {
  const orders = [1, 2, 3].map((seed) => {
    const y = Array.from(digits({ count: 30, seed }).y.data);
    for (const start of [0, 10, 20]) {
      expect(y.slice(start, start + 10).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
    return y.join("");
  });
  expect(new Set(orders).size).toBe(3);
});

test("every sample is a digit of its own: ink on every image, no two alike", () => {
  const { x } = digits({ count: 2000, seed: 11 });
  const seen = new Set<string>();
  for (let i = 0; i < 2000; i++) {
    const image = x.data.subarray(i * PIXELS, (i + 1) * PIXELS);
    const ink = Array.from(image).filter((v) => v > 0.5).length;
    expect(ink, `pixels of ink in sample ${i}`).toBeGreaterThan(12);
    expect(ink, `pixels of ink in sample ${i}`).toBeLessThan(320);
    seen.add(image.join());
  }
  expect(seen.size).toBe(2000);
});

test("digits can be told apart, but not by their mean image alone", () => {
  const train = digits({ count: 2000, seed: 1 });
  const held = digits({ count: 1000, seed: 2 });
  const means = new Float64Array(10 * PIXELS);
  train.x.data.forEach((v, i) => {
    means[train.y.data[Math.floor(i / PIXELS)] * PIXELS + (i % PIXELS)] += v / 200;
  });
  let right = 0;
  for (let i = 0; i < 1000; i++) {
    const distances = Array.from({ length: 10 }, (_, digit) => {
      let sum = 0;
      for (let p = 0; p < PIXELS; p++) sum += (held.x.data[i * PIXELS + p] - means[digit * PIXELS + p]) ** 2;
      return sum;
    });
    if (distances.indexOf(Math.min(...distances)) === held.y.data[i]) right++;
  }
  // MNIST: 0.82.
  expect(right / 1000).toBeGreaterThan(0.6);
  expect(right / 1000).toBeLessThan(0.9);
});

test("no digits is an empty set", () => {
  expect(digits({ count: 0 }).x.shape).toEqual([0, 28, 28, 1]);
});

test.each([
  { count: -1 },
  { count: 1.5 },
  { count: 2 ** 40 },
  { count: Number.NaN },
  { seed: -1 },
  { seed: 0.5 },
  { seed: 2 ** 53 },
])("digits(%j) is a RangeError that says what it expects", (options) => {
  expect(() => digits(options)).toThrow(RangeError);
  expect(() => digits(options)).toThrow(/^digits: expected (count|seed) to be a whole number from 0 to \d+, got /);
});
