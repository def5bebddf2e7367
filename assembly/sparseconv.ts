// Products with sparse weights (sparsepack.ts). Every sum begins at its bias and goes on in the order of k, as that of f32_gemm, whose
// bits it has where x is finite: what is left out is a product with 0. (A bias of -0 with nothing kept stays so, and an infinity that
// meets no weight makes no NaN.) Lanes run across pixels, as in XNNPACK's SpMM (Elsen and others, "Fast Sparse ConvNets", 2019), or
// across outputs.

import { load, loadSplat, mulAdd, pmax, pmin, SIMD, splat, store } from "./lanes";
import { put } from "./map";
import { placesOf } from "./sparsepack";

/** Pixels done together; the sums of four outputs lie in the scratch. */
const PIXELS: usize = 32;

/**
 * y [batch, oh, ow, n] = clamp(x [batch, c, h, width] convolved with a sparse filter + bias [n], lo, hi), strides 1. x, whose
 * images are `image` elements, is channels first and has its padding in it. `packed` is f32_sparse_pack_pixels. Reads up
 * to 12 bytes past x; `scratch` takes 512 bytes. Pixels of the rows of x behind ow are computed and left out.
 */
export function f32_sparse_conv2d_pixels(
  batch: u32, image: u32, width: u32, oh: u32, ow: u32, n: u32,
  x: usize, packed: usize, bias: usize, scratch: usize, y: usize, lo: f32, hi: f32,
): void {
  const count = (oh - 1) * width + ow, w: u32 = SIMD ? 4 : 1;
  for (let b: u32 = 0; b < batch; b++, x += <usize>image << 2, y += <usize>(oh * ow * n) << 2) {
    for (let t: u32 = 0, some: u32 = 0; t < count; t += some) {
      const left = count - t, from = x + (<usize>t << 2);
      some = min(left, left > 4 * w ? 8 * w : left > w ? 4 * w : w);
      if (SIMD) {
        if (some > 4 * w) outputs<v128, u64>(t, some, width, ow, n, from, packed, bias, scratch, y, lo, hi);
        else if (some > w) outputs<v128, u32>(t, some, width, ow, n, from, packed, bias, scratch, y, lo, hi);
        else outputs<v128, u8>(t, some, width, ow, n, from, packed, bias, scratch, y, lo, hi);
      } else {
        if (some > 4 * w) outputs<f32, u64>(t, some, width, ow, n, from, packed, bias, scratch, y, lo, hi);
        else if (some > w) outputs<f32, u32>(t, some, width, ow, n, from, packed, bias, scratch, y, lo, hi);
        else outputs<f32, u8>(t, some, width, ow, n, from, packed, bias, scratch, y, lo, hi);
      }
    }
  }
}

/** All outputs of `count` pixels from the t-th on, as many vectors as `W` has bytes, four outputs at a time. */
// @ts-ignore: decorator
@inline
function outputs<V, W>(
  t: u32, count: u32, width: u32, ow: u32, n: u32,
  x: usize, packed: usize, bias: usize, scratch: usize, y: usize, lo: f32, hi: f32,
): void {
  const low = splat<V>(lo), high = splat<V>(hi);
  for (let j: u32 = 0; j < n; j += 4) {
    const rows = min<u32>(4, n - j);
    for (let r: u32 = 0; r < rows; r++) {
      const end = packed + 4 + (<usize>i32.load(packed) << 3);
      const start = bias ? loadSplat<V>(bias + (<usize>(j + r) << 2)) : splat<V>(0);
      sums<V, W>(packed + 4, end, x, start, low, high, scratch + <usize>r * (PIXELS << 2));
      packed = end;
    }
    scatter(t, count, width, ow, n, rows, scratch, y + (<usize>j << 2));
  }
}

/** to [pixels] = the clamped sums of one output. */
// @ts-ignore: decorator
@inline
function sums<V, W>(list: usize, end: usize, x: usize, start: V, low: V, high: V, to: usize): void {
  const w = sizeof<V>();
  let s0 = start, s1 = start, s2 = start, s3 = start, s4 = start, s5 = start, s6 = start, s7 = start;
  for (; list != end; list += 8) {
    const p = x + i32.load(list), a = loadSplat<V>(list + 4);
    s0 = mulAdd<V>(a, load<V>(p), s0);
    if (sizeof<W>() > 1) {
      s1 = mulAdd<V>(a, load<V>(p + w), s1);
      s2 = mulAdd<V>(a, load<V>(p + 2 * w), s2);
      s3 = mulAdd<V>(a, load<V>(p + 3 * w), s3);
    }
    if (sizeof<W>() > 4) {
      s4 = mulAdd<V>(a, load<V>(p + 4 * w), s4);
      s5 = mulAdd<V>(a, load<V>(p + 5 * w), s5);
      s6 = mulAdd<V>(a, load<V>(p + 6 * w), s6);
      s7 = mulAdd<V>(a, load<V>(p + 7 * w), s7);
    }
  }
  store<V>(to, pmin<V>(pmax<V>(s0, low), high));
  if (sizeof<W>() > 1) {
    store<V>(to + w, pmin<V>(pmax<V>(s1, low), high));
    store<V>(to + 2 * w, pmin<V>(pmax<V>(s2, low), high));
    store<V>(to + 3 * w, pmin<V>(pmax<V>(s3, low), high));
  }
  if (sizeof<W>() > 4) {
    store<V>(to + 4 * w, pmin<V>(pmax<V>(s4, low), high));
    store<V>(to + 5 * w, pmin<V>(pmax<V>(s5, low), high));
    store<V>(to + 6 * w, pmin<V>(pmax<V>(s6, low), high));
    store<V>(to + 7 * w, pmin<V>(pmax<V>(s7, low), high));
  }
}

/** Writes sums [rows <= 4, PIXELS] as [pixels, rows] into y, leaving out pixels beyond the rows of the result. */
function scatter(t: u32, count: u32, width: u32, ow: u32, n: u32, rows: u32, from: usize, y: usize): void {
  const line = t / width, step = <usize>n << 2;
  let column = t - line * width, to = y + <usize>(line * ow + min(column, ow)) * step;
  const end = from + (<usize>count << 2);
  while (from < end) {
    if (SIMD && rows == 4 && column + 4 <= ow && from + 16 <= end) {
      const c0 = v128.load(from), c1 = v128.load(from, 128), c2 = v128.load(from, 256), c3 = v128.load(from, 384);
      const a0 = v128.shuffle<i32>(c0, c1, 0, 4, 1, 5), a1 = v128.shuffle<i32>(c2, c3, 0, 4, 1, 5);
      const b0 = v128.shuffle<i32>(c0, c1, 2, 6, 3, 7), b1 = v128.shuffle<i32>(c2, c3, 2, 6, 3, 7);
      v128.store(to, v128.shuffle<i64>(a0, a1, 0, 2));
      v128.store(to + step, v128.shuffle<i64>(a0, a1, 1, 3));
      v128.store(to + 2 * step, v128.shuffle<i64>(b0, b1, 0, 2));
      v128.store(to + 3 * step, v128.shuffle<i64>(b0, b1, 1, 3));
      from += 16;
      column += 4;
      to += 4 * step;
    } else {
      if (column < ow) {
        for (let r: usize = 0; r < rows; r++) f32.store(to + (r << 2), f32.load(from + r * (PIXELS << 2)));
        to += step;
      }
      from += 4;
      column++;
    }
    if (column == width) column = 0;
  }
}

/**
 * y [batch, oh, ow, n] = clamp(x [batch, h, w, c] convolved with a sparse filter + bias [n], lo, hi), strides sh and sw; padding is
 * in x. `packed` is f32_sparse_pack_outputs with the same block. One pixel after the other: four sums of blocks
 * side by side, or two of single outputs, whose factors are gathered.
 */
export function f32_sparse_conv2d_outputs(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, sh: u32, sw: u32, n: u32, block: u32,
  x: usize, packed: usize, bias: usize, y: usize, lo: f32, hi: f32,
): void {
  const row = <usize>(w * c) << 2, pixel = <usize>(sw * c) << 2;
  for (let b: u32 = 0; b < batch; b++, x += row * h) {
    for (let i: u32 = 0; i < oh; i++) {
      let p = x + <usize>(i * sh) * row;
      for (let j: u32 = 0; j < ow; j++, p += pixel, y += <usize>n << 2) {
        if (!SIMD) scalars(n, block, p, packed, bias, y, lo, hi);
        else if (block == 4) blocks(n, p, packed, bias, y, lo, hi);
        else singles(n, p, packed, bias, y, lo, hi);
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function startOf(bias: usize, j: u32, n: u32): v128 {
  return bias && j < n ? v128.load(bias + (<usize>j << 2)) : f32x4.splat(0);
}

// @ts-ignore: decorator
@inline
function finish(j: u32, n: u32, y: usize, sum: v128, low: v128, high: v128): void {
  if (j < n) put<v128>(y + (<usize>j << 2), pmin<v128>(pmax<v128>(sum, low), high), <usize>(n - j) << 2);
}

function blocks(n: u32, x: usize, packed: usize, bias: usize, y: usize, lo: f32, hi: f32): void {
  const low = f32x4.splat(lo), high = f32x4.splat(hi);
  for (let j: u32 = 0; j < n; j += 16) {
    let s0 = startOf(bias, j, n), s1 = startOf(bias, j + 4, n);
    let s2 = startOf(bias, j + 8, n), s3 = startOf(bias, j + 12, n);
    const end = packed + 4 + <usize>i32.load(packed) * 80;
    for (packed += 4; packed != end; packed += 80) {
      s0 = mulAdd<v128>(v128.load32_splat(x + i32.load(packed)), v128.load(packed, 16), s0);
      s1 = mulAdd<v128>(v128.load32_splat(x + i32.load(packed, 4)), v128.load(packed, 32), s1);
      s2 = mulAdd<v128>(v128.load32_splat(x + i32.load(packed, 8)), v128.load(packed, 48), s2);
      s3 = mulAdd<v128>(v128.load32_splat(x + i32.load(packed, 12)), v128.load(packed, 64), s3);
    }
    finish(j, n, y, s0, low, high);
    finish(j + 4, n, y, s1, low, high);
    finish(j + 8, n, y, s2, low, high);
    finish(j + 12, n, y, s3, low, high);
  }
}

// @ts-ignore: decorator
@inline
function gather(x: usize, places: usize): v128 {
  let v = v128.load32_zero(x + i32.load(places));
  v = v128.load32_lane(x + i32.load(places, 4), v, 1);
  v = v128.load32_lane(x + i32.load(places, 8), v, 2);
  return v128.load32_lane(x + i32.load(places, 12), v, 3);
}

function singles(n: u32, x: usize, packed: usize, bias: usize, y: usize, lo: f32, hi: f32): void {
  const low = f32x4.splat(lo), high = f32x4.splat(hi);
  for (let j: u32 = 0; j < n; j += 8) {
    let s0 = startOf(bias, j, n), s1 = startOf(bias, j + 4, n);
    const end = packed + 4 + (<usize>i32.load(packed) << 6);
    for (packed += 4; packed != end; packed += 64) {
      s0 = mulAdd<v128>(gather(x, packed), v128.load(packed, 32), s0);
      s1 = mulAdd<v128>(gather(x, packed + 16), v128.load(packed, 48), s1);
    }
    finish(j, n, y, s0, low, high);
    finish(j + 4, n, y, s1, low, high);
  }
}

function scalars(n: u32, block: u32, x: usize, packed: usize, bias: usize, y: usize, lo: f32, hi: f32): void {
  const places = placesOf(block), group = places * block, bytes = <usize>(places + group) << 2;
  for (let j: u32 = 0; j < n; j += group) {
    const end = packed + 4 + <usize>i32.load(packed) * bytes;
    for (let r: u32 = 0; r < min(group, n - j); r++) {
      let sum: f32 = bias ? f32.load(bias + (<usize>(j + r) << 2)) : 0;
      for (let p = packed + 4; p != end; p += bytes) {
        sum = mulAdd<f32>(f32.load(x + i32.load(p + ((r / block) << 2))), f32.load(p + ((places + r) << 2)), sum);
      }
      f32.store(y + (<usize>(j + r) << 2), pmin<f32>(pmax<f32>(sum, lo), hi));
    }
    packed = end;
  }
}
