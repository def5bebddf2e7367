// The SVDF (Nakkiran and others 2015) in integers: each filter has a feature of every step, and remembers those of the last ones.

import { scaled } from "./fixed32";
import { paddedRow, rowDot } from "./rows";

/**
 * y [batch, units] (i8) and next [batch, filters, steps] (i16, or i8), what is remembered after it, of x [batch, k] (i8) and `state`,
 * what was before. A filter's feature is the sum of a row of w [filters, k] (i8, padded) times x with its bias [filters] (i32), scaled,
 * plus `zero`. What it remembers times a row of t [filters, steps] (of the state's type) is added up over `rank` filters; these sums
 * plus outBias [units] (i32; 0 for none) are scaled, plus outZero.
 */
export function i8_svdf(
  batch: u32, k: u32, filters: u32, steps: u32, rank: u32, x: usize, w: usize, bias: usize, t: usize, outBias: usize,
  state: usize, next: usize, y: usize, multiplier: i32, shift: i32, zero: i32, outMultiplier: i32, outShift: i32,
  outZero: i32, isInt8: bool,
): void {
  for (; batch > 0; batch--, x += k) {
    let row = w, start = bias, time = t, own = outBias;
    for (let f: u32 = 0; f < filters; ) {
      let sum = own ? load<i32>(own) : 0;
      for (let r: u32 = 0; r < rank; r++, f++, row += paddedRow(k), start += 4) {
        const feature = scaled(rowDot(k, row, x) + load<i32>(start), multiplier, shift) + zero;
        const bytes = <usize>steps << (isInt8 ? 0 : 1);
        sum += isInt8
          ? remembered<i8>(steps, feature, zero, time, state, next)
          : remembered<i16>(steps, feature, zero, time, state, next);
        time += bytes;
        state += bytes;
        next += bytes;
      }
      store<i8>(y++, <i8>min<i32>(max<i32>(scaled(sum, outMultiplier, outShift) + outZero, -128), 127));
      if (own) own += 4;
    }
  }
}

/** next [steps] = the state without its first, then the feature, clamped; the sum of it, without its zero point, times t. */
function remembered<T>(steps: u32, feature: i32, zero: i32, t: usize, state: usize, next: usize): i32 {
  const most = <i32>(sizeof<T>() == 1 ? 127 : 32767), latest = min<i32>(max<i32>(feature, -most - 1), most);
  let sum: i32 = 0;
  for (let i: u32 = 1; i < steps; i++, t += sizeof<T>(), state += sizeof<T>(), next += sizeof<T>()) {
    const value = load<T>(state, sizeof<T>());
    store<T>(next, value);
    sum += (<i32>value - zero) * <i32>load<T>(t);
  }
  store<T>(next, <T>latest);
  return sum + (latest - zero) * <i32>load<T>(t);
}
