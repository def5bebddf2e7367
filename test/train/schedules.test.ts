import { describe, expect, test } from "vitest";
import { cosineDecay, exponentialDecay, piecewise, polynomialDecay, warmup } from "../../src/train/index.js";

// Expected numbers are Keras 3's formulas, written with Math's functions.
describe("schedules follow Keras", () => {
  test("cosineDecay", () => {
    const rate = cosineDecay(0.1, 100, { alpha: 0.1 });
    for (const step of [0, 1, 33, 99, 100, 500]) {
      const cosine = 0.5 * (1 + Math.cos((Math.PI * Math.min(step, 100)) / 100));
      expect(rate(step)).toBeCloseTo(0.1 * (0.9 * cosine + 0.1), 15);
    }
  });
  test("cosineDecay with a warm-up", () => {
    const rate = cosineDecay(0.02, 100, { warmupTarget: 0.1, warmupSteps: 10 });
    expect(rate(0)).toBe(0.02);
    expect(rate(5)).toBeCloseTo(0.06, 15);
    expect(rate(10)).toBe(0.1);
    expect(rate(60)).toBeCloseTo(0.05, 15);
    expect(rate(110)).toBe(0);
  });
  test("exponentialDecay", () => {
    const rate = exponentialDecay(0.1, 1000, 0.96);
    for (const step of [0, 1, 500, 12345]) expect(rate(step)).toBeCloseTo(0.1 * 0.96 ** (step / 1000), 14);
    expect(exponentialDecay(0.1, 1000, 0.96, { staircase: true })(1999)).toBeCloseTo(0.096, 15);
  });
  test("piecewise", () => {
    const rate = piecewise([2, 5], [1, 0.5, 0.1]);
    expect([0, 2, 3, 5, 6].map(rate)).toEqual([1, 1, 0.5, 0.5, 0.1]);
  });
  test("polynomialDecay", () => {
    const rate = polynomialDecay(0.1, 100, { endLearningRate: 0.01, power: 0.5 });
    for (const step of [0, 30, 100, 130])
      expect(rate(step)).toBeCloseTo(0.09 * Math.sqrt(1 - Math.min(step, 100) / 100) + 0.01, 15);
    expect(polynomialDecay(0.1, 100, { endLearningRate: 0.01, cycle: true })(150)).toBeCloseTo(0.09 * 0.25 + 0.01, 15);
  });
  test("warmup", () => {
    const rate = warmup(piecewise([4], [1, 0.5]), 4);
    expect([0, 1, 2, 3, 4, 5].map(rate)).toEqual([0.25, 0.5, 0.75, 1, 1, 0.5]);
  });
});

describe("schedules refuse what cannot be", () => {
  test.each<[string, () => unknown, string]>([
    [
      "negative steps",
      () => cosineDecay(0.1, -1),
      "cosineDecay: expected decaySteps to be a number of at least 1, got -1",
    ],
    ["NaN", () => exponentialDecay(Number.NaN, 1, 1), "initialLearningRate"],
    ["too few values", () => piecewise([1, 2], [1, 2]), "piecewise: expected 3 values for 2 boundaries, got 2"],
    ["falling boundaries", () => piecewise([2, 1], [1, 2, 3]), "rising boundaries"],
    ["a warm-up over no steps", () => warmup(1, 0), "warmup: expected steps to be a positive integer, got 0"],
  ])("%s", (_, make, message) => {
    expect(make).toThrow(message);
  });
});
