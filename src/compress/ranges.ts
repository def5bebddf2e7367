// Ranges of values, made of the numbers that they took.
import { rangeError } from "../errors.js";
import { Histogram } from "./histogram.js";
import type { Range } from "./integers.js";

/**
 * How ranges are made of what is observed: `minMax`, the extremes; `movingAverage`, means of the extremes of batches of 32, each new one
 * weighing 0.1; `percentile`, without so many of the outermost numbers; `mse`, the clip with the least squared error of int8.
 */
export type RangeMethod = "minMax" | "movingAverage" | "percentile" | "mse";

/** What is kept of the numbers of one value. */
export interface Observer {
  /** @throws {RangeError} for a number that is not finite */
  see(numbers: ArrayLike<number>): void;
  /** Undefined where nothing was seen. */
  range(): Range | undefined;
}

/** Observers by the names of methods; memory does not grow with what they see. @param percentile of `percentile` */
export const observers: Record<RangeMethod, (op: string, percentile: number) => Observer> = {
  minMax: (op) =>
    extremes(op, (known, now) => ({ low: Math.min(known.low, now.low), high: Math.max(known.high, now.high) })),
  movingAverage: (op) =>
    extremes(op, (known, now) => ({ low: 0.9 * known.low + 0.1 * now.low, high: 0.9 * known.high + 0.1 * now.high })),
  percentile: (op, percentile) => counted(op, (histogram) => histogram.percentile(percentile)),
  mse: (op) => counted(op, (histogram) => histogram.leastError()),
};

function extremes(op: string, joined: (known: Range, now: Range) => Range): Observer {
  let known: Range | undefined;
  return {
    see(numbers) {
      if (numbers.length === 0) return;
      const now = extent(op, numbers);
      known = known ? joined(known, now) : now;
    },
    range: () => known,
  };
}

function counted(op: string, range: (histogram: Histogram) => Range): Observer {
  const histogram = new Histogram();
  let any = false;
  return {
    see(numbers) {
      if (numbers.length === 0) return;
      const { low, high } = extent(op, numbers);
      histogram.add(numbers, low, high);
      any = true;
    },
    range: () => (any ? range(histogram) : undefined),
  };
}

/** The least and the largest number. */
function extent(op: string, numbers: ArrayLike<number>): Range {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < numbers.length; i++) {
    const x = numbers[i];
    if (!(x - x === 0)) throw rangeError({ op, expected: "finite values in calibration", actual: String(x) });
    if (x < low) low = x;
    if (x > high) high = x;
  }
  return { low, high };
}
