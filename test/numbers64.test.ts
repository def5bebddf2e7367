import { describe, expect, test } from "vitest";
import { cosPi, exp, log, pow, power } from "../src/numbers.js";

/** Points spread over [low, high]. */
const points = (low: number, high: number, count = 100_000) =>
  Array.from({ length: count }, (_, i) => low + ((i * 0.6180339887498949) % 1) * (high - low));
const worst = (list: readonly number[], error: (x: number) => number) =>
  list.reduce((most, x) => Math.max(most, error(x)), 0);

describe("elementary functions of float64 are as near as they say", () => {
  test("exp", () => {
    const ulp = 2 ** -52;
    expect(worst(points(-700, 700), (x) => Math.abs(exp(x) / Math.exp(x) - 1))).toBeLessThan(2 * ulp);
    expect([exp(0), exp(-1000), exp(1000), exp(Number.NEGATIVE_INFINITY)]).toEqual([1, 0, Number.POSITIVE_INFINITY, 0]);
    expect(exp(Number.NaN)).toBeNaN();
  });
  test("log", () => {
    const error = (x: number) => Math.abs(log(x) - Math.log(x)) - 2 * 2 ** -52 * Math.abs(Math.log(x));
    expect(worst(points(1e-9, 3), error)).toBeLessThan(4e-16);
    expect(worst(points(1e-300, 1e300), error)).toBeLessThan(4e-16);
    expect([log(1), log(0), log(Number.POSITIVE_INFINITY)]).toEqual([
      0,
      Number.NEGATIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]);
    expect(log(-1)).toBeNaN();
  });
  test("pow", () => {
    const error = (b: number) => (x: number) => Math.abs(pow(b, x) / b ** x - 1) / (1 + Math.abs(x * Math.log(b)));
    for (const b of [0.5, 0.96, 1.7, 10]) expect(worst(points(-50, 50), error(b)), `base ${b}`).toBeLessThan(1e-15);
    expect([pow(2, 10), pow(2, -1), pow(0, 0.5), pow(0, 0), power(3, 5)]).toEqual([1024, 0.5, 0, 1, 243]);
  });
  test("cosine of half turns", () => {
    expect(worst(points(0, 0.5), (x) => Math.abs(cosPi(x) - Math.cos(Math.PI * x)))).toBeLessThan(3e-16);
    expect(worst(points(-2, 2), (x) => Math.abs(cosPi(x) - Math.cos(Math.PI * x)))).toBeLessThan(1e-15);
    expect([cosPi(0), cosPi(0.5), cosPi(1), cosPi(1.5), cosPi(-2)]).toEqual([1, 0, -1, -0, 1].map((x) => x + 0));
  });
});
