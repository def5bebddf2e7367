// The LSTM in integers, as TensorFlow Lite's own kernel computes it: int8 states, gates in Q3.12 and then Q0.15, cells of 16 bits whose
// scale is a power of two. lstmp.ts is the same in floats and says what the parts are.

import { load16, sigmoid16, store16, tanh16 } from "./fixed16";
import { roundShift, roundShiftFour, scaled, scaledFour } from "./fixed32";
import { SIMD } from "./lanes";
import { paddedRow, rowDot, rowDots } from "./rows";
import { normalize16 } from "./qnorm";

/**
 * Words of `factors` for each gate: multiplier and shift of x, of the states, of the cells and of the norm, then what a variance is at
 * least.
 */
const GATE: usize = 36;

/**
 * y [batch, steps, m] (i8) and c [batch, n] (i16), the cells after the last step, of x [batch, steps, k] (i8); states before the first
 * step h0 [batch, m] (i8) and c0 [batch, n] (i16). Gates are i, f, g, o, or coupled f, g, o.
 *
 * w [gates n, k], u [gates n, m] and p [m, n] (0 for none, where m = n) are padded rows of int8; wBias, uBias and pBias (i32, for each
 * row) have their biases and what zero points add to sums. peephole [3, n] (i16; i, f, o, or coupled f, o; 0 for none) times the cells
 * joins the gates, norm [gates, n] (i16; 0 for none) with bias [gates, n] (i32) normalizes them.
 *
 * `factors` (i32): for i, f, g and o nine words each, see GATE; then multiplier and shift of o tanh(c), its zero point, multiplier and
 * shift of the projection, its zero point, the exponent of the cells' scale [-15, -9], and the largest size of a cell and of a
 * projected state (0 for any).
 *
 * `scratch`: five times n numbers of 16 bits, then n of 8, each padded to 16 bytes, and 16 more.
 */
export function i8_lstm(
  batch: u32, steps: u32, k: u32, n: u32, m: u32, x: usize, w: usize, wBias: usize, u: usize, uBias: usize,
  peephole: usize, norm: usize, bias: usize, p: usize, pBias: usize, factors: usize, h0: usize, c0: usize,
  y: usize, c: usize, scratch: usize, isCoupled: bool,
): void {
  const row = paddedRow(2 * n), i = scratch, f = i + row, g = f + row, o = g + row, t = o + row, hidden = t + row;
  const last = factors + 4 * GATE, first: u32 = isCoupled ? 1 : 0;
  const exponent = load<i32>(last, 24), bits = 15 + exponent;
  memory.copy(c, c0, <usize>(2 * n) * batch);
  for (; batch > 0; batch--, h0 += m, c += 2 * n) {
    let h = h0;
    for (let step: u32 = 0; step < steps; step++, x += k, y += m) {
      for (let at = first; at < 4; at++) {
        const to = i + row * at, own = factors + GATE * at, index = <usize>(at - first) * n;
        products(n, k, w + index * paddedRow(k), x, wBias + (index << 2), own, 0, to);
        products(n, m, u + index * paddedRow(m), h, uBias + (index << 2), own + 8, to, to);
        if (at == 3) {
          // The output gate sees the new cells.
          cells(n, isCoupled ? 0 : i, f, g, c, -exponent, load<i32>(last, 28));
        }
        const peep = at == 3 ? 2 - first : at - first;
        if (peephole && at != 2) joined(n, peephole + (<usize>peep * n << 1), c, own + 16, to);
        if (norm) {
          normalize16(
            n, to, norm + (index << 1), bias + (index << 2), load<i32>(own, 24), load<i32>(own, 28), load<i32>(own, 32),
          );
        }
        if (at == 2) tanhs(n, 3, to, to);
        else sigmoids(n, to);
      }
      tanhs(n, bits, c, t);
      outputs(n, o, t, last, p ? hidden : y);
      if (p) {
        projected(m, n, p, hidden, pBias, last + 12, load<i32>(last, 32), y);
      }
      h = y;
    }
  }
}

/** y [n] (i16) = before [n] (i16; 0 for none) + the sums of rows w [n, k] times x [k], with their biases, scaled; clamped. */
function products(n: u32, k: u32, w: usize, x: usize, bias: usize, factor: usize, before: usize, y: usize): void {
  const multiplier = load<i32>(factor), shift = load<i32>(factor, 4), stride = paddedRow(k);
  let j: u32 = 0;
  if (SIMD) {
    for (; j + 4 <= n; j += 4, w += 4 * stride, bias += 16, y += 8) {
      const sums = i32x4.add(rowDots(k, w, stride, x), v128.load(bias));
      let made = scaledFour(sums, multiplier, shift);
      if (before) made = i32x4.add(made, v128.load16x4_s(y));
      v128.store64_lane(y, i16x8.narrow_i32x4_s(made, made), 0);
    }
  }
  for (; j < n; j++, w += stride, bias += 4, y += 2) {
    const made = scaled(rowDot(k, w, x) + load<i32>(bias), multiplier, shift);
    store<i16>(y, <i16>clamped(before ? made + load<i16>(y) : made));
  }
}

// @ts-ignore: decorator
@inline
function clamped(x: i32): i32 {
  return min<i32>(max<i32>(x, -32768), 32767);
}

/** y [n] (i16) += peephole (i16) times c (i16), scaled; clamped. */
function joined(n: u32, peephole: usize, c: usize, factor: usize, y: usize): void {
  const multiplier = load<i32>(factor), shift = load<i32>(factor, 4);
  for (const end = y + (<usize>n << 1); y < end; peephole += 2, c += 2, y += 2) {
    const made = scaled(<i32>load<i16>(peephole) * <i32>load<i16>(c), multiplier, shift);
    store<i16>(y, <i16>clamped(made + load<i16>(y)));
  }
}

/**
 * c [n] (i16) = f c + i g, each product rounded, clamped; without i (0) it is 1 - f. Cells are clipped to `most`, where that is above 0.
 */
function cells(n: u32, i: usize, f: usize, g: usize, c: usize, fraction: i32, most: i32): void {
  const shift = 30 - fraction;
  let j: u32 = 0;
  if (SIMD) {
    const high = i16x8.splat(<i16>(most > 0 ? most : 32767)), low = i16x8.splat(<i16>(most > 0 ? -most : -32768));
    for (; j + 8 <= n; j += 8, f += 16, g += 16, c += 16) {
      const forget = v128.load(f), input = i ? v128.load(i) : i16x8.sub(i16x8.splat(32767), forget);
      const sum = i16x8.add_sat_s(productEight(forget, v128.load(c), 15), productEight(input, v128.load(g), shift));
      v128.store(c, i16x8.max_s(i16x8.min_s(sum, high), low));
      if (i) i += 16;
    }
  }
  for (; j < n; j++, f += 2, g += 2, c += 2) {
    const forget = <i32>load<i16>(f), input = i ? <i32>load<i16>(i) : 32767 - forget;
    const sum = clamped(roundShift(forget * load<i16>(c), 15) + roundShift(input * load<i16>(g), shift));
    store<i16>(c, <i16>(most > 0 ? max<i32>(min<i32>(sum, most), -most) : sum));
    if (i) i += 2;
  }
}

// @ts-ignore: decorator
@inline
function productEight(a: v128, b: v128, shift: i32): v128 {
  const low = roundShiftFour(i32x4.extmul_low_i16x8_s(a, b), shift);
  return i16x8.narrow_i32x4_s(low, roundShiftFour(i32x4.extmul_high_i16x8_s(a, b), shift));
}

/** y [n] (i8) = o t, scaled, plus a zero point; clamped. */
function outputs(n: u32, o: usize, t: usize, factor: usize, y: usize): void {
  const multiplier = load<i32>(factor), shift = load<i32>(factor, 4), zero = load<i32>(factor, 8);
  let j: u32 = 0;
  if (SIMD) {
    const z = i32x4.splat(zero);
    for (; j + 4 <= n; j += 4, o += 8, t += 8, y += 4) {
      const product = i32x4.mul(v128.load16x4_s(o), v128.load16x4_s(t));
      const made = i32x4.add(scaledFour(product, multiplier, shift), z);
      const narrow = i16x8.narrow_i32x4_s(made, made);
      v128.store32_lane(y, i8x16.narrow_i16x8_s(narrow, narrow), 0);
    }
  }
  for (; j < n; j++, o += 2, t += 2, y++) {
    const made = scaled(<i32>load<i16>(o) * <i32>load<i16>(t), multiplier, shift) + zero;
    store<i8>(y, <i8>min<i32>(max<i32>(made, -128), 127));
  }
}

/** y [m] (i8) = the sums of rows p [m, n] times x [n], with their biases, scaled, plus a zero point; clamped. */
function projected(m: u32, n: u32, p: usize, x: usize, bias: usize, factor: usize, most: i32, y: usize): void {
  const multiplier = load<i32>(factor), shift = load<i32>(factor, 4), zero = load<i32>(factor, 8);
  const low = most > 0 ? -most : -128, high = most > 0 ? most : 127;
  for (const end = y + m; y < end; p += paddedRow(n), bias += 4, y++) {
    const made = scaled(rowDot(n, p, x) + load<i32>(bias), multiplier, shift) + zero;
    store<i8>(y, <i8>min<i32>(max<i32>(made, low), high));
  }
}

function sigmoids(n: u32, x: usize): void {
  let j: u32 = 0;
  if (SIMD) for (; j + 8 <= n; j += 8, x += 16) store16<v128>(x, sigmoid16<v128>(load16<v128>(x)));
  for (; j < n; j++, x += 2) store16<i32>(x, sigmoid16<i32>(load16<i32>(x)));
}

function tanhs(n: u32, bits: i32, x: usize, y: usize): void {
  let j: u32 = 0;
  if (SIMD) for (; j + 8 <= n; j += 8, x += 16, y += 16) store16<v128>(y, tanh16<v128>(load16<v128>(x), bits));
  for (; j < n; j++, x += 2, y += 2) store16<i32>(y, tanh16<i32>(load16<i32>(x), bits));
}
