// How often a stream of numbers took which values, in a memory of one size: bins that lie on multiples of a power of two, and become
// pairwise one when numbers come that do not fit, which moves no number to another place than a wide histogram would have had it.
import { integerOf, quantizationOf, type Range } from "./integers.js";

/** Of positive and negative numbers together. Half of them hold the larger side, so an integer of 8 bits is at least 8 bins wide. */
const BINS = 8192;
const ZERO = BINS / 2;

/** Shares of the whole range that are tried as clips. */
const CLIPS = 64;

export class Histogram {
  readonly #bins = new Float64Array(BINS);
  #width = 0;
  #zeros = 0;
  #count = 0;
  #low = 0;
  #high = 0;

  /** @param low the least and @param high the largest of the numbers, all finite */
  add(numbers: ArrayLike<number>, low: number, high: number): void {
    if (numbers.length === 0) return;
    [this.#low, this.#high] = this.#count > 0 ? [Math.min(this.#low, low), Math.max(this.#high, high)] : [low, high];
    this.#count += numbers.length;
    this.#widen(Math.max(high, -low));
    const bins = this.#bins;
    const perBin = 1 / (this.#width || 1); // exact, the width is a power of two
    for (let i = 0; i < numbers.length; i++) {
      const x = numbers[i];
      if (x === 0) this.#zeros++;
      else bins[Math.floor(x * perBin) + ZERO]++;
    }
  }

  /** Makes room for numbers up to `size`, of either sign. */
  #widen(size: number): void {
    if (size === 0) return;
    if (this.#width === 0) {
      // The least power of two that fits the first numbers; far below it bins make no difference.
      this.#width = 2 ** -120;
      while (this.#width * (ZERO - 1) <= size) this.#width *= 2;
    }
    while (this.#width * (ZERO - 1) <= size) {
      const old = this.#bins.slice();
      this.#bins.fill(0);
      old.forEach((count, i) => {
        this.#bins[Math.floor((i - ZERO) / 2) + ZERO] += count;
      });
      this.#width *= 2;
    }
  }

  /** The range without the share 1 - percentile / 100 of the numbers on either side. @param percentile in (50, 100] */
  percentile(percentile: number): Range {
    const outside = (1 - percentile / 100) * this.#count;
    return { low: Math.max(this.#low, this.#edge(outside, 1)), high: Math.min(this.#high, this.#edge(outside, -1)) };
  }

  /** Where the numbers that `outside` leaves over begin, from below (1) or above (-1). */
  #edge(outside: number, direction: 1 | -1): number {
    const start = direction === 1 ? 0 : BINS - 1;
    let passed = 0;
    for (let i = start; i >= 0 && i < BINS; i += direction) {
      // Zeros lie between the negative bins and the others.
      const zeros = i === (direction === 1 ? ZERO : ZERO - 1) ? this.#zeros : 0;
      if (passed + zeros > outside) return 0;
      passed += zeros + this.#bins[i];
      if (passed > outside) return (i - ZERO + (direction === 1 ? 0 : 1)) * this.#width;
    }
    return 0;
  }

  /** The clip that makes the mean squared error of int8 least, of 64 shares of the whole range on either side. */
  leastError(): Range {
    const whole: Range = { low: Math.min(this.#low, 0), high: Math.max(this.#high, 0) };
    let best = whole;
    let least = this.#error(whole);
    const search = (clip: (share: number) => Range) => {
      for (let i = CLIPS - 1; i > 0; i--) {
        const range = clip(i / CLIPS);
        const error = this.#error(range);
        if (error < least) [best, least] = [range, error];
      }
    };
    search((share) => ({ low: whole.low * share, high: whole.high * share }));
    for (let again = 0; again < 2; again++) {
      if (whole.high > 0) search((share) => ({ low: best.low, high: whole.high * share }));
      if (whole.low < 0) search((share) => ({ low: whole.low * share, high: best.high }));
    }
    return best;
  }

  /** Squared error of all numbers as int8 of a range, each at the middle of its bin; 0 has none. */
  #error(range: Range): number {
    const q = quantizationOf(range);
    let error = 0;
    for (let i = 0; i < BINS; i++) {
      const count = this.#bins[i];
      if (count === 0) continue;
      const x = (i - ZERO + 0.5) * this.#width;
      const off = (integerOf(x, q) - q.zeroPoint) * q.scale - x;
      error += count * off * off;
    }
    return error;
  }
}
