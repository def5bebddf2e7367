// Max pooling over NHWC images: windows kh x kw, steps sh x sw, `top` and `left` padding pixels that never win. Lanes run
// across channels. Windows of up to 2x2 and 3x3 are written out, as the short loops of `any` cost more than their work:
// 112x112x64 by 2x2 takes 70 us instead of 172, by 3x3 with steps of 2 113 instead of 270 (Zen 4, Node 24).

import {
  add, and, andNot, bits, eqInt, fromBits, le, load, ne, or, pmax, SIMD, splat, store, xor,
} from "./lanes";
import { put } from "./map";

/** y [batch, oh, ow, c] = maximum of each window of x [batch, h, w, c]; NaN where the window holds one. */
export function f32_max_pool2d(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32, top: u32, left: u32,
  x: usize, y: usize,
): void {
  const pixel = <usize>c << 2, row = pixel * w;
  for (; batch > 0; batch--, x += row * h) {
    for (let i: u32 = 0; i < oh; i++) {
      const h0 = first(i, sh, top), rows = last(i, sh, top, kh, h) - h0;
      for (let j: u32 = 0; j < ow; j++, y += pixel) {
        const w0 = first(j, sw, left), columns = last(j, sw, left, kw, w) - w0, corner = x + h0 * row + w0 * pixel;
        // 113 us instead of 131 (Node 20: 121 instead of 160).
        if (!(pixel & 31) && columns == 3 && rows - 1 < 3 && sw == 2 && j + 1 < ow && w0 + 5 <= w) {
          const down = row * (rows - 1);
          if (SIMD) twice<v128, v128>(pixel, min(row, down), down, corner, y);
          else twice<f32, i32>(pixel, min(row, down), down, corner, y);
          y += pixel;
          j++;
          continue;
        }
        if (SIMD) maximum<v128, v128>(pixel, row, rows, columns, corner, y);
        else maximum<f32, i32>(pixel, row, rows, columns, corner, y);
      }
    }
  }
}

/**
 * dx [batch, h, w, c] = dy [batch, oh, ow, c] at the first maximum of each window of x in row-major order (NaN counts as
 * maximum), unless that is at most `low`, 0 elsewhere; where windows overlap they add in row-major order of the windows.
 * With `low` 0 it is also the gradient of a relu that made x, but for NaN; with NaN every maximum counts.
 */
export function f32_max_pool2d_grad(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32, top: u32, left: u32,
  x: usize, dy: usize, dx: usize, low: f32,
): void {
  const pixel = <usize>c << 2, row = pixel * w, image = row * h, apart = sh >= kh && sw >= kw;
  // Windows of 2x2 that tile the image store to all that they cover: only what is right of them is cleared.
  const tiled = sh == 2 && sw == 2 && kh == 2 && kw == 2 && !(top | left) && !(pixel & 15);
  const clear: usize = tiled ? min<usize>(2 * ow * pixel, row) : 0;
  for (; batch > 0; batch--, x += image, dx += image) {
    let cleared: usize = 0;
    for (let i: u32 = 0; i < oh; i++) {
      const h0 = first(i, sh, top), h1 = last(i, sh, top, kh, h), rows = h1 - h0;
      for (; cleared < h1; cleared++) {
        if (clear < row) memory.fill(dx + cleared * row + clear, 0, row - clear);
      }
      for (let j: u32 = 0; j < ow; j++, dy += pixel) {
        const w0 = first(j, sw, left), columns = last(j, sw, left, kw, w) - w0, corner = h0 * row + w0 * pixel;
        if (SIMD) scatter<v128, v128>(pixel, row, rows, columns, apart, x + corner, dy, dx + corner, splat<v128>(low));
        else scatter<f32, i32>(pixel, row, rows, columns, apart, x + corner, dy, dx + corner, low);
      }
    }
    memory.fill(dx + cleared * row, 0, image - cleared * row);
  }
}

/** First row (or column) of the image that window `i` covers. */
// @ts-ignore: decorator
@inline
function first(i: u32, step: u32, padding: u32): usize {
  return <usize>max<i32>(<i32>(i * step - padding), 0);
}

/** One past the last row (or column) of the image that window `i` covers. */
// @ts-ignore: decorator
@inline
function last(i: u32, step: u32, padding: u32, window: u32, size: u32): usize {
  const end = <i32>(i * step - padding + window);
  return <usize>max<i32>(min<i32>(end, <i32>size), <i32>first(i, step, padding));
}

/** y [channels] = maximum of rows x columns pixels from x. Where a written-out window is too large, pixels come twice. */
function maximum<V, I>(pixel: usize, row: usize, rows: usize, columns: usize, x: usize, y: usize): void {
  const right = pixel * (columns - 1), down = row * (rows - 1), whole = pixel & -16;
  let done: usize = 0;
  if (rows - 1 < 2 && columns - 1 < 2) {
    four<V, I>(whole, right, down, x, y);
    done = whole;
  } else if (rows - 1 < 3 && columns - 1 < 3) {
    nine<V, I>(whole, min(right, pixel), right, min(down, row), down, x, y);
    done = whole;
  }
  if (done < pixel) any<V, I>(done, pixel, row, rows, columns * pixel, x, y);
}

function any<V, I>(k: usize, pixel: usize, row: usize, rows: usize, width: usize, x: usize, y: usize): void {
  for (; k < pixel; k += sizeof<V>()) {
    let best = splat<V>(-Infinity), p = x + k;
    for (let r = rows; r > 0; r--, p += row) {
      for (let q = p; q < p + width; q += pixel) best = larger<V, I>(best, load<V>(q));
    }
    put<V>(y + k, best, pixel - k);
  }
}

function four<V, I>(pixel: usize, right: usize, down: usize, x: usize, y: usize): void {
  for (const end = y + pixel; y < end; x += sizeof<V>(), y += sizeof<V>()) {
    const upper = larger<V, I>(load<V>(x), load<V>(x + right));
    const lower = larger<V, I>(load<V>(x + down), load<V>(x + down + right));
    store<V>(y, larger<V, I>(upper, lower));
  }
}

function nine<V, I>(
  pixel: usize, right: usize, right2: usize, down: usize, down2: usize, x: usize, y: usize,
): void {
  for (const end = y + pixel; y < end; x += sizeof<V>(), y += sizeof<V>()) {
    const m = x + right, r = x + right2;
    const left = three<V, I>(x, x + down, x + down2), middle = three<V, I>(m, m + down, m + down2);
    store<V>(y, larger<V, I>(larger<V, I>(left, middle), three<V, I>(r, r + down, r + down2)));
  }
}

/** Two windows of 3x3, the second one two pixels on: they share a column. Two vectors of channels at a time share their addresses. */
function twice<V, I>(pixel: usize, down: usize, down2: usize, x: usize, y: usize): void {
  const w = sizeof<V>();
  for (const end = y + pixel; y < end; x += 2 * w, y += 2 * w) {
    const s0 = x + 2 * pixel, s1 = s0 + down, s2 = s0 + down2;
    const shared0 = three<V, I>(s0, s1, s2), shared1 = three<V, I>(s0 + w, s1 + w, s2 + w);
    const a1 = x + down, a2 = x + down2, b0 = x + pixel, b1 = b0 + down, b2 = b0 + down2;
    const left0 = larger<V, I>(three<V, I>(x, a1, a2), three<V, I>(b0, b1, b2));
    const left1 = larger<V, I>(three<V, I>(x + w, a1 + w, a2 + w), three<V, I>(b0 + w, b1 + w, b2 + w));
    store<V>(y, larger<V, I>(left0, shared0));
    store<V>(y + w, larger<V, I>(left1, shared1));
    const c0 = s0 + pixel, c1 = c0 + down, c2 = c0 + down2, d0 = c0 + pixel, d1 = d0 + down, d2 = d0 + down2;
    const right0 = larger<V, I>(three<V, I>(c0, c1, c2), three<V, I>(d0, d1, d2)), z = y + pixel;
    const right1 = larger<V, I>(three<V, I>(c0 + w, c1 + w, c2 + w), three<V, I>(d0 + w, d1 + w, d2 + w));
    store<V>(z, larger<V, I>(shared0, right0));
    store<V>(z + w, larger<V, I>(shared1, right1));
  }
}

/** The maximum of three. */
// @ts-ignore: decorator
@inline
function three<V, I>(p: usize, q: usize, r: usize): V {
  return larger<V, I>(larger<V, I>(load<V>(p), load<V>(q)), load<V>(r));
}

/** Maximum of both, NaN if either is: `pmax` keeps a NaN of `a`, all ones make one of `b`. Three instructions, not eight. */
// @ts-ignore: decorator
@inline
function larger<V, I>(a: V, b: V): V {
  return fromBits<V, I>(or<I>(bits<V, I>(pmax<V>(a, b)), ne<V, I>(b, b)));
}

/** Adds dy [channels] to dx at the first maximum of each channel that is not at most `low`. */
function scatter<V, I>(
  pixel: usize, row: usize, rows: usize, columns: usize, apart: bool, x: usize, dy: usize, dx: usize, low: V,
): void {
  let done: usize = 0;
  if (apart && rows - 1 < 2 && columns - 1 < 2) {
    done = pixel & -16;
    scatterFour<V, I>(done, pixel * (columns - 1), row * (rows - 1), x, dy, dx, low);
  }
  if (done < pixel) scatterAny<V, I>(done, pixel, row, rows, columns * pixel, x, dy, dx, low);
}

// Two vectors of channels at a time, the second one where there is one: 112x112x64 by 3x3 with steps of 2 takes
// 0.69 ms instead of 1.03 (Zen 4, Node 24).
function scatterAny<V, I>(
  k: usize, pixel: usize, row: usize, rows: usize, width: usize, x: usize, dy: usize, dx: usize, low: V,
): void {
  const w = sizeof<V>();
  for (; k < pixel; k += 2 * w) {
    const left = pixel - k, next: usize = left > w ? w : 0;
    let best0 = splat<V>(-Infinity), best1 = best0, p = x + k, q = dx + k - p;
    for (let r = rows; r > 0; r--, p += row) {
      for (let s = p; s < p + width; s += pixel) {
        best0 = larger<V, I>(best0, load<V>(s));
        best1 = larger<V, I>(best1, load<V>(s + next));
      }
    }
    // What is left to give: nothing once it is given.
    let change0 = andNot<I>(bits<V, I>(load<V>(dy + k)), le<V, I>(best0, low));
    let change1 = andNot<I>(bits<V, I>(load<V>(dy + k + next)), le<V, I>(best1, low));
    p = x + k;
    for (let r = rows; r > 0; r--, p += row) {
      for (let s = p; s < p + width; s += pixel) {
        const share0 = and<I>(change0, isFirst<V, I>(load<V>(s), best0)), to = s + q;
        const share1 = and<I>(change1, isFirst<V, I>(load<V>(s + next), best1));
        change0 = xor<I>(change0, share0);
        change1 = xor<I>(change1, share1);
        put<V>(to, add<V>(load<V>(to), fromBits<V, I>(share0)), left);
        if (next) put<V>(to + w, add<V>(load<V>(to + w), fromBits<V, I>(share1)), left - w);
      }
    }
  }
}

// For windows that do not overlap, so that nothing is there to add to: 26x26x32, batch 32, takes 136 us instead of 204 (Zen 4, Node 24).
// Where a pixel comes twice, it is found where it comes first, and what is stored there last stays.
function scatterFour<V, I>(
  pixel: usize, right: usize, down: usize, x: usize, dy: usize, dx: usize, low: V,
): void {
  for (let k: usize = 0; k < pixel; k += sizeof<V>()) {
    const p = x + k, q = dx + k, x0 = load<V>(p), x1 = load<V>(p + right), x2 = load<V>(p + down);
    const x3 = load<V>(p + down + right);
    const upper = larger<V, I>(x0, x1), lower = larger<V, I>(x2, x3), best = larger<V, I>(upper, lower);
    const change = andNot<I>(bits<V, I>(load<V>(dy + k)), le<V, I>(best, low));
    const up = isFirst<V, I>(upper, best), above = and<I>(change, up), below = andNot<I>(change, up);
    const first = isFirst<V, I>(x0, upper), third = isFirst<V, I>(x2, lower);
    store<V>(q + down + right, fromBits<V, I>(andNot<I>(below, third)));
    store<V>(q + down, fromBits<V, I>(and<I>(below, third)));
    store<V>(q + right, fromBits<V, I>(andNot<I>(above, first)));
    store<V>(q, fromBits<V, I>(and<I>(above, first)));
  }
}

/** Whether the `best` that larger(a, b) gave is a: it has the bits of a, or a is NaN. */
// @ts-ignore: decorator
@inline
function isFirst<V, I>(a: V, best: V): I {
  return or<I>(eqInt<I>(bits<V, I>(best), bits<V, I>(a)), ne<V, I>(a, a));
}
