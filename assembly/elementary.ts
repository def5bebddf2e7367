// Functions of floats that only files of TensorFlow Lite call for: sine and cosine, roundings, what a division leaves, and interpolation
// between rows that tables name.

import { between } from "./interpolate";
import { SIMD, splat } from "./lanes";

/** y [n] = sin(x), within 1 ulp for |x| up to 2^20. */
export function f32_sin(n: u32, x: usize, y: usize): void {
  for (const end = y + (<usize>n << 2); y < end; x += 4, y += 4) store<f32>(y, turned(load<f32>(x), 0));
}

/** y [n] = cos(x), within 1 ulp for |x| up to 2^20. */
export function f32_cos(n: u32, x: usize, y: usize): void {
  for (const end = y + (<usize>n << 2); y < end; x += 4, y += 4) store<f32>(y, turned(load<f32>(x), 1));
}

/** y [n] = the smallest integer that is not below x. */
export function f32_ceil(n: u32, x: usize, y: usize): void {
  const end = y + (<usize>n << 2);
  if (SIMD) for (; y + 16 <= end; x += 16, y += 16) v128.store(y, f32x4.ceil(v128.load(x)));
  for (; y < end; x += 4, y += 4) store<f32>(y, f32.ceil(load<f32>(x)));
}

/** y [n] = the integer nearest to x, even in ties. */
export function f32_round(n: u32, x: usize, y: usize): void {
  const end = y + (<usize>n << 2);
  if (SIMD) for (; y + 16 <= end; x += 16, y += 16) v128.store(y, f32x4.nearest(v128.load(x)));
  for (; y < end; x += 4, y += 4) store<f32>(y, f32.nearest(load<f32>(x)));
}

/** y [n] = what a / b, rounded down, leaves of a, exactly: with the sign of b. */
export function f32_floor_mod(n: u32, a: usize, b: usize, y: usize): void {
  for (const end = y + (<usize>n << 2); y < end; a += 4, b += 4, y += 4) {
    const q = load<f32>(b), rest = load<f32>(a) % q;
    store<f32>(y, rest != 0 && rest < 0 != q < 0 ? rest + q : rest);
  }
}

/**
 * y [outer, m, inner] = a + (b - a) part of rows a = places[0, i] and b = places[1, i] (i32) of the middle axis of x [outer, n, inner],
 * parts [m]; a row that there is not is the last.
 */
export function f32_interpolate_at(
  outer: u32, n: u32, inner: u32, m: u32, places: usize, parts: usize, x: usize, y: usize,
): void {
  const row = <usize>inner << 2, after = <usize>m << 2, last = n - 1;
  for (; outer > 0; outer--, x += row * n) {
    for (let at: usize = 0; at < after; at += 4, y += row) {
      const a = x + row * min(load<u32>(places + at), last), b = x + row * min(load<u32>(places + at + after), last);
      const t = load<f32>(parts + at);
      if (SIMD && inner > 1) between<v128>(splat<v128>(t), a, b, y, row);
      else between<f32>(t, a, b, y, row);
    }
  }
}

/** sin(x) for quarter 0, cos(x) for quarter 1, in float64 and rounded once: NaN for infinities. */
function turned(x: f32, quarter: i32): f32 {
  // pi / 2 as two numbers, of which the first has 33 bits: its multiples up to 2^20 are exact.
  const n = f64.nearest(<f64>x * 0.6366197723675814), r = <f64>x - n * 1.5707963267341256 - n * 6.077100506506192e-11;
  if (!(f64.abs(n) < 4503599627370496.0)) return <f32>(r - r);
  const q = <i32>(<i64>n + quarter), z = r * r;
  // Taylor's series to r^11 and r^12, the error below 2^-36 for |r| up to pi / 4.
  const odd = -1.0 / 6.0 + z * (1.0 / 120.0 + z * (-1.0 / 5040.0 + z * (1.0 / 362880.0 - z / 39916800.0)));
  const even = 1.0 / 24.0 + z * (-1.0 / 720.0 + z * (1.0 / 40320.0 + z * (-1.0 / 3628800.0 + z / 479001600.0)));
  const sine = r + r * z * odd, cosine = 1.0 + z * (-0.5 + z * even);
  const value = q & 1 ? cosine : sine;
  return <f32>(q & 2 ? -value : value);
}
