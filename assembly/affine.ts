// Images moved, turned and stretched: pixels read at positions that an affine map gives, one map for each image of a batch.

import { add, load, mul, SIMD, splat } from "./lanes";
import { put } from "./map";
import { cosQuarter, sinQuarter } from "./math";

// What f32_affine_maps makes of its numbers, and how f32_affine goes on beyond an image: the values of src/ops/affine.ts.
const MIRROR: u32 = 0, ZOOM: u32 = 1, ZOOM_EVENLY: u32 = 2, TURN: u32 = 3, SHIFT: u32 = 4, SHIFT_WHOLE: u32 = 5;
const CONSTANT: u32 = 0, NEAREST: u32 = 1, REFLECT: u32 = 2;
/** Positions count to here: far more than an image has, and a float32 is still near its integers. */
const FAR: f32 = 16777216;

/**
 * maps [n, 6] for f32_affine of images [h, w], from numbers u [n, 2] in [0, 1): a = aLow + u0 (aHigh - aLow) for rows, b likewise for
 * columns. MIRROR: columns are turned round where b < 0, rows where a < 0. ZOOM: positions are a and b times as far from the
 * center; ZOOM_EVENLY: a times for both. TURN: the image turns by `a` turns about its center, counter-clockwise. SHIFT: it moves by a
 * rows down and b columns to the right. SHIFT_WHOLE: positions move by floor(a) and floor(b), the origin staying the origin.
 */
export function f32_affine_maps(
  n: u32, h: u32, w: u32, kind: u32, u: usize, maps: usize, aLow: f32, aHigh: f32, bLow: f32, bHigh: f32,
): void {
  const cx = <f32>(<i32>w - 1) * 0.5, cy = <f32>(<i32>h - 1) * 0.5;
  for (; n > 0; n--, u += 8, maps += 24) {
    const a = aLow + f32.load(u) * (aHigh - aLow), b = bLow + f32.load(u, 4) * (bHigh - bLow);
    let xx: f32 = 1, xy: f32 = 0, yx: f32 = 0, yy: f32 = 1, dx: f32 = 0, dy: f32 = 0;
    if (kind == MIRROR) {
      xx = b < 0 ? -1 : 1;
      yy = a < 0 ? -1 : 1;
    } else if (kind == ZOOM || kind == ZOOM_EVENLY) {
      xx = kind == ZOOM ? b : a;
      yy = a;
    } else if (kind == TURN) {
      const quarter = floor<f32>(a * 4 + 0.5), t = a * 4 - quarter;
      const turns = <i32>(quarter - 4 * floor<f32>(quarter * 0.25)); // 0 to 3
      const s = sinQuarter<f32>(t), c = cosQuarter<f32>(t), odd = (turns & 1) != 0;
      const sine = odd ? c : s, cosine = odd ? s : c;
      yx = turns > 1 ? -sine : sine;
      xx = turns == 1 || turns == 2 ? -cosine : cosine;
      yy = xx;
      xy = -yx;
    } else if (kind == SHIFT) {
      dx = -b;
      dy = -a;
    } else {
      dx = floor<f32>(b);
      dy = floor<f32>(a);
    }
    f32.store(maps, xx);
    f32.store(maps, xy, 4);
    f32.store(maps, (cx - (xx * cx + xy * cy)) + dx, 8);
    f32.store(maps, yx, 12);
    f32.store(maps, yy, 16);
    f32.store(maps, (cy - (yx * cx + yy * cy)) + dy, 20);
  }
}

/**
 * y [n, oh, ow, c]: pixel (i, j) is the image of x [n, h, w, c] at column (m0 j + m1 i) + m2 and row (m3 j + m4 i) + m5, m the row of
 * maps [n, 6] of its image. `linear` 0 takes the nearest pixel (floor of the position + 1/2); 1 the four around it, their products
 * with their weights added in the order upper left, upper right, lower left, lower right. Beyond the image `fill` gives the number
 * `value` (CONSTANT), the outermost pixel (NEAREST), the image mirrored with its outermost pixels (REFLECT), or anew (WRAP).
 */
export function f32_affine(
  n: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, linear: u32, fill: u32, x: usize, maps: usize, y: usize, value: f32,
): void {
  visit<Read>(n, h, w, c, oh, ow, linear, fill, x, maps, y, value);
}

/** dx [n, h, w, c] of f32_affine from dy [n, oh, ow, c]: 0, then each pixel of dy in order times its weights, in theirs. */
export function f32_affine_grad(
  n: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, linear: u32, fill: u32, dy: usize, maps: usize, dx: usize,
): void {
  memory.fill(dx, 0, (<usize>(n * h * w * c)) << 2);
  visit<Spread>(n, h, w, c, oh, ow, linear, fill, dx, maps, dy, 0);
}

/** Gives F each pixel of `y` with each pixel of `x` that it is made of, and the weight. */
// @ts-ignore: decorator
@inline
function visit<F>(
  n: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, linear: u32, fill: u32, x: usize, maps: usize, y: usize, value: f32,
): void {
  const pixel = <usize>c << 2, image = pixel * h * w, corners: u32 = linear ? 4 : 1, half: f32 = linear ? 0 : 0.5;
  for (; n > 0; n--, x += image, maps += 24) {
    const xx = f32.load(maps), xy = f32.load(maps, 4), x0 = f32.load(maps, 8);
    const yx = f32.load(maps, 12), yy = f32.load(maps, 16), y0 = f32.load(maps, 20);
    for (let i: u32 = 0; i < oh; i++) {
      for (let j: u32 = 0; j < ow; j++, y += pixel) {
        const px = ((xx * <f32>j + xy * <f32>i) + x0) + half, py = ((yx * <f32>j + yy * <f32>i) + y0) + half;
        const fx = floor<f32>(px), fy = floor<f32>(py), tx = px - fx, ty = py - fy;
        const column = whole(fx), row = whole(fy);
        for (let k: u32 = 0; k < corners; k++) {
          const right = k & 1, lower = k >> 1;
          const s = place(row + lower, h, fill), t = place(column + right, w, fill);
          const weight = linear ? (lower ? ty : 1 - ty) * (right ? tx : 1 - tx) : 1;
          const from = s < 0 || t < 0 ? <usize>0 : x + pixel * <usize>(<u32>s * w + <u32>t);
          if (SIMD && c > 1) changetype<F>(0).corner<v128>(from, y, pixel, k, splat<v128>(weight), splat<v128>(value));
          else changetype<F>(0).corner<f32>(from, y, pixel, k, weight, value);
        }
      }
    }
  }
}

/** An integer as an integer; what is far, and NaN, as one that is far. */
// @ts-ignore: decorator
@inline
function whole(x: f32): i32 {
  return x > -FAR ? <i32>(x < FAR ? x : FAR) : <i32>-FAR;
}

/** Which of n pixels stands at `i`; -1 for none. */
// @ts-ignore: decorator
@inline
function place(i: i32, n: u32, fill: u32): i32 {
  if (<u32>i < n) return i;
  const size = <i32>n;
  if (fill == CONSTANT) return -1;
  if (fill == NEAREST) return i < 0 ? 0 : size - 1;
  const period = fill == REFLECT ? 2 * size : size, rest = i % period, at = rest < 0 ? rest + period : rest;
  return at < size ? at : period - 1 - at;
}

@unmanaged @final class Read {
  // @ts-ignore: decorator
  @inline corner<V>(from: usize, y: usize, pixel: usize, k: u32, weight: V, value: V): void {
    for (const end = y + pixel; y < end; y += sizeof<V>()) {
      const part = mul<V>(from ? load<V>(from) : value, weight);
      put<V>(y, k ? add<V>(load<V>(y), part) : part, end - y);
      if (from) from += sizeof<V>();
    }
  }
}

@unmanaged @final class Spread {
  // @ts-ignore: decorator
  @inline corner<V>(from: usize, y: usize, pixel: usize, k: u32, weight: V, value: V): void {
    if (!from) return;
    for (const end = y + pixel; y < end; y += sizeof<V>(), from += sizeof<V>()) {
      put<V>(from, add<V>(load<V>(from), mul<V>(load<V>(y), weight)), end - y);
    }
  }
}
