// Convolutions of 3x3 filters with stride 1 by Winograd's F(4x4, 3x3): 36 multiplications for a tile of 4x4 outputs where
// the sums themselves have 144; the gradient of the filter by F(3x3, 4x4). Overlapping tiles of 6x6 pixels are transformed
// (winogradtile.ts), 36 matrix products (tile.ts) sum over channels or over tiles, and the sums are transformed back.
// Lavin and Gray, "Fast algorithms for convolutional neural networks".

import { SIMD } from "./lanes";
import { gemm_packed_size } from "./pack";
import { tile } from "./tile";
import { biasPixel, copyPatch, inputTile, isInside, kernelTile, outputTile, TEMP_BYTES } from "./winogradtile";

/** Numbers of a transformed tile. */
const POSITIONS: usize = 36;
/**
 * Bytes by which the positions of transformed tiles are further apart than they are long: 36 addresses that differ by
 * multiples of 4096 would share one set of the first-level cache.
 */
const SKEW: usize = 64;

/** Bytes of a transformed tile's channels at one position: whole vectors. */
// @ts-ignore: decorator
@inline
function wholeBytes(channels: u32): usize {
  return <usize>((channels + 3) & ~3) << 2;
}

/** Bytes from one position of a transformed filter [k, n] to the next. */
// @ts-ignore: decorator
@inline
function packedBytes(k: u32, n: u32): usize {
  return (<usize>gemm_packed_size(k, n) << 2) + SKEW;
}

/**
 * u [36] of f32_gemm_pack's layout of [c, n], each 16 elements longer: the transformed filter f [3, 3, c, n]. May read f up
 * to 12 bytes past its end; `temp` is 576 bytes.
 */
export function f32_conv2d_3x3_winograd_filter(c: u32, n: u32, f: usize, u: usize, temp: usize): void {
  const tap = <usize>(c * n) << 2, position = packedBytes(c, n);
  for (let i: u32 = 0; i < c; ++i, f += <usize>n << 2) {
    if (SIMD) kernelTile<v128>(3, n, f, 3 * tap, tap, c, i, u, position, temp);
    else kernelTile<f32>(3, n, f, 3 * tap, tap, c, i, u, position, temp);
  }
}

/**
 * f32_conv2d of 3x3 filters with stride 1, on x [batch, h, w, c] with `top` rows and `left` columns of zeros before it and as
 * many as oh and ow ask for after it. `u` is the transformed filter. Of all tiles of 4x4 outputs, in order of image, row and
 * column, it does those from `from` to `to`, `block` at a time, an even number that changes no bit. Each sum at a position is
 * sequential over c. An output whose whole window is zero is its bias exactly, as in the direct sum: rounding would leave
 * 1e-8 there, and a relu would let gradients through where there are none (the background of an image, while biases are 0).
 * `scratch` is 4 conv2d_3x3_winograd_scratch(c, n, block) bytes.
 */
export function f32_conv2d_3x3_winograd(
  h: u32, w: u32, c: u32, oh: u32, ow: u32, top: u32, left: u32, n: u32, from: u32, to: u32, block: u32,
  x: usize, u: usize, bias: usize, y: usize, scratch: usize, lo: f32, hi: f32,
): void {
  const across = (ow + 3) >> 2, down = (oh + 3) >> 2, image = <usize>(h * w * c) << 2;
  const inputs = wholeBytes(c), sums = wholeBytes(n), pixel = <usize>n << 2;
  const patch = scratch + TEMP_BYTES, v = patch + POSITIONS * inputs, position = <usize>block * inputs + SKEW;
  const m = v + POSITIONS * position, sumPosition = <usize>block * sums + SKEW, filter = packedBytes(c, n);
  for (; from < to; from += block) {
    // An odd number of tiles is made even by the last one once more: tile() takes two rows at a time.
    const count = min<u32>(block, to - from), rows = (count + 1) & ~1;
    for (let t: u32 = 0; t < rows; ++t) {
      const at = from + min<u32>(t, count - 1), i = at / across % down, j = at % across;
      const p = x + <usize>(at / across / down) * image;
      inputAt(p, 4 * i - top, 4 * j - left, h, w, c, v + <usize>t * inputs, position, scratch, patch);
    }
    for (let p: usize = 0; p < POSITIONS; ++p) {
      const a = v + p * position, b = u + p * filter, s = m + p * sumPosition;
      product(rows, a, inputs, n, c, 4, b, 0, s, sums);
    }
    for (let t: u32 = 0; t < count; ++t) {
      const at = from + t, i = 4 * (at / across % down), j = 4 * (at % across);
      const q = y + <usize>((at / across / down * oh + i) * ow + j) * pixel;
      const a = m + <usize>t * sums, row = <usize>ow * pixel, high = min<u32>(4, oh - i), wide = min<u32>(4, ow - j);
      if (SIMD) outputTile<v128>(4, n, a, sumPosition, bias, q, row, pixel, high, wide, lo, hi, scratch);
      else outputTile<f32>(4, n, a, sumPosition, bias, q, row, pixel, high, wide, lo, hi, scratch);
      const p = x + <usize>(at / across / down) * image;
      for (let k: u32 = 0; k < high; ++k) {
        for (let l: u32 = 0; l < wide; ++l) {
          if (!isZero(p, i + k - top, j + l - left, h, w, c)) continue;
          const to = q + <usize>k * row + <usize>l * pixel;
          if (SIMD) biasPixel<v128>(n, bias, to, lo, hi);
          else biasPixel<f32>(n, bias, to, lo, hi);
        }
      }
    }
  }
}

/** Whether the window of 3x3 pixels at (y, x) of an image holds nothing but zeros. */
function isZero(image: usize, y: i32, x: i32, h: i32, w: i32, c: u32): bool {
  const left = max<i32>(x, 0), right = min<i32>(x + 3, w), bottom = min<i32>(y + 3, h);
  if (left >= right) return true;
  for (let i = max<i32>(y, 0); i < bottom; ++i) {
    let p = image + (<usize>((i * w + left) * c) << 2);
    const end = p + (<usize>((right - left) * c) << 2);
    if (SIMD) for (; p + 16 <= end; p += 16) if (v128.any_true(f32x4.ne(v128.load(p), f32x4.splat(0)))) return false;
    for (; p < end; p += 4) if (load<f32>(p) != 0) return false;
  }
  return true;
}

/** Elements of scratch memory of f32_conv2d_3x3_winograd. */
export function conv2d_3x3_winograd_scratch(c: u32, n: u32, block: u32): u32 {
  const inputs = wholeBytes(c), sums = wholeBytes(n);
  return <u32>((TEMP_BYTES + POSITIONS * (inputs + <usize>block * (inputs + sums) + 2 * SKEW)) >> 2);
}

/**
 * The gradient of f32_conv2d_3x3_winograd to its filter: df [3, 3, c, n] from x and dy [batch, oh, ow, n], its columns from
 * `from`, a multiple of 16, to `to`. Each sum at a position is sequential over the tiles of 4x4 of dy, in order of image,
 * row and column; `block` changes no bit. `scratch` is 4 conv2d_3x3_winograd_filter_grad_scratch(c, n, block) bytes.
 */
export function f32_conv2d_3x3_winograd_filter_grad(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, top: u32, left: u32, n: u32, from: u32, to: u32, block: u32,
  x: usize, dy: usize, df: usize, scratch: usize,
): void {
  const across = (ow + 3) >> 2, down = (oh + 3) >> 2, tiles = batch * across * down;
  const image = <usize>(h * w * c) << 2, outputs = <usize>(oh * ow * n) << 2;
  const inputs = wholeBytes(c), columns = to - from, sums = wholeBytes(columns);
  const pixel = <usize>n << 2, wholePixel = wholeBytes(n), skip = <usize>from << 2;
  const patch = scratch + TEMP_BYTES, v = patch + max<usize>(POSITIONS * inputs, 16 * wholePixel);
  const position = <usize>block * inputs + SKEW, d = v + POSITIONS * position, dyPosition = packedBytes(block, columns);
  const s = d + POSITIONS * dyPosition, sumPosition = (inputs >> 2) * sums + SKEW;
  for (let first: u32 = 0; first < tiles; first += block) {
    const count = min<u32>(block, tiles - first);
    for (let t: u32 = 0; t < count; ++t) {
      const at = first + t, b = <usize>(at / across / down), i = 4 * (at / across % down), j = 4 * (at % across);
      inputAt(x + b * image, i - top, j - left, h, w, c, v + <usize>t * inputs, position, scratch, patch);
      let q = dy + b * outputs + <usize>(i * ow + j) * pixel, step = pixel, row = <usize>ow * pixel;
      if (!isInside(4, i, j, oh, ow)) {
        q = patch, step = wholePixel, row = 4 * wholePixel;
        if (SIMD) copyPatch<v128>(4, dy + b * outputs, i, j, oh, ow, n, patch);
        else copyPatch<f32>(4, dy + b * outputs, i, j, oh, ow, n, patch);
      }
      if (SIMD) kernelTile<v128>(4, columns, q + skip, row, step, count, t, d, dyPosition, scratch);
      else kernelTile<f32>(4, columns, q + skip, row, step, count, t, d, dyPosition, scratch);
    }
    for (let p: usize = 0; p < POSITIONS; ++p) {
      const sum = s + p * sumPosition;
      const a = v + p * position, b = d + p * dyPosition;
      product(<u32>(inputs >> 2), a, 4, columns, count, inputs, b, first ? sum : 0, sum, sums);
    }
  }
  const tap = <usize>(c * n) << 2;
  df += skip;
  for (let i: usize = 0; i < c; ++i, df += pixel) {
    const a = s + i * sums;
    if (SIMD) outputTile<v128>(3, columns, a, sumPosition, 0, df, 3 * tap, tap, 3, 3, -Infinity, Infinity, scratch);
    else outputTile<f32>(3, columns, a, sumPosition, 0, df, 3 * tap, tap, 3, 3, -Infinity, Infinity, scratch);
  }
}

/** Elements of scratch memory of f32_conv2d_3x3_winograd_filter_grad. */
export function conv2d_3x3_winograd_filter_grad_scratch(c: u32, n: u32, block: u32): u32 {
  const inputs = wholeBytes(c), sums = wholeBytes(n);
  const positions = <usize>block * inputs + packedBytes(block, n) + (inputs >> 2) * sums + 2 * SKEW;
  return <u32>((TEMP_BYTES + max<usize>(POSITIONS * inputs, 16 * sums) + POSITIONS * positions) >> 2);
}

/** The transformed tile of an image whose first pixel is (i, j), by way of `patch` where it reaches beyond the image. */
function inputAt(
  x: usize, i: i32, j: i32, h: i32, w: i32, c: u32, v: usize, position: usize, temp: usize, patch: usize,
): void {
  let pixel = <usize>c << 2, row = <usize>w * pixel;
  let p = x + <usize>(i * w + j) * pixel;
  if (!isInside(6, i, j, h, w)) {
    p = patch, pixel = wholeBytes(c), row = 6 * pixel;
    if (SIMD) copyPatch<v128>(6, x, i, j, h, w, c, patch);
    else copyPatch<f32>(6, x, i, j, h, w, c, patch);
  }
  if (SIMD) inputTile<v128>(c, p, row, pixel, v, position, temp);
  else inputTile<f32>(c, p, row, pixel, v, position, temp);
}

/**
 * y [m, n] = init + a [m, k] times packed b [k, n], m even: rows of a are `row` bytes apart, its terms `term`, rows of y and
 * of init `sums`. init 0 starts from +0. Without blocks: all of it is near already.
 */
function product(
  m: u32, a: usize, row: usize, n: u32, k: u32, term: usize, b: usize, init: usize, y: usize, sums: usize,
): void {
  for (let j: u32 = 0; j < n; j += 16) {
    const columns = min<u32>(16, n - j), at = <usize>j << 2;
    tile(
      m, columns, a, a + row, 2 * row, 1, 0, 1, 0, k, term,
      b + at * k, init ? init + at : 0, init ? sums : 0, y + at, sums, -Infinity, Infinity,
    );
  }
}
