// a^b for floats, in float64 so that the result is rounded once: within 0.51 ulp. Special cases as IEEE 754-2019 says for pow.

/** 2^n as a float64, |n| <= 252, from float32 bits: the build without WebAssembly has no 64-bit integers to make it of. */
// @ts-ignore: decorator
@inline
function powerOfTwo(n: i32): f64 {
  const half = n >> 1;
  return <f64>reinterpret<f32>((half + 127) << 23) * <f64>reinterpret<f32>((n - half + 127) << 23);
}

/** log2(x) for a finite x > 0: the exponent, and 2 atanh(s) / ln 2 with s = (m - 1) / (m + 1), |s| <= 0.172. */
function log2(x: f32): f64 {
  let k: i32 = 0;
  if (x < 1.17549435e-38) {
    x *= 8388608;
    k = -23;
  }
  const bits = reinterpret<i32>(x), above = (bits - 0x3f3504f3) >> 23;
  const m = <f64>reinterpret<f32>(bits - (above << 23));
  const s = (m - 1) / (m + 1), z = s * s;
  let p: f64 = 1.0 / 17;
  p = p * z + 1.0 / 15;
  p = p * z + 1.0 / 13;
  p = p * z + 1.0 / 11;
  p = p * z + 1.0 / 9;
  p = p * z + 1.0 / 7;
  p = p * z + 1.0 / 5;
  p = p * z + 1.0 / 3;
  p = p * z + 1;
  return <f64>(k + above) + 2.8853900817779268 * s * p;
}

/** 2^x rounded to f32, subnormals included. */
function exp2(x: f64): f32 {
  if (x > 129) return Infinity;
  if (x < -151) return 0;
  const n = <i32>nearest<f64>(x), r = (x - <f64>n) * 0.6931471805599453;
  let p: f64 = 1.0 / 39916800;
  p = p * r + 1.0 / 3628800;
  p = p * r + 1.0 / 362880;
  p = p * r + 1.0 / 40320;
  p = p * r + 1.0 / 5040;
  p = p * r + 1.0 / 720;
  p = p * r + 1.0 / 120;
  p = p * r + 1.0 / 24;
  p = p * r + 1.0 / 6;
  p = p * r + 0.5;
  p = p * r + 1;
  p = p * r + 1;
  return <f32>(p * powerOfTwo(n));
}

/** a^b */
export function pow(a: f32, b: f32): f32 {
  if (b == 0 || a == 1) return 1;
  if (a != a || b != b) return NaN;
  const size = abs<f32>(a), whole = nearest<f32>(b) == b;
  const odd = whole && abs<f32>(b) < 16777216 && (<i32>b & 1) != 0;
  if (abs<f32>(b) == Infinity) {
    if (size == 1) return 1;
    return size > 1 == b > 0 ? Infinity : 0;
  }
  let y: f32;
  if (size == 0) y = b > 0 ? 0 : Infinity;
  else if (size == Infinity) y = b > 0 ? Infinity : 0;
  else {
    if (a < 0 && !whole) return NaN;
    y = exp2(<f64>b * log2(size));
  }
  return odd && (reinterpret<i32>(a) < 0) ? -y : y;
}
