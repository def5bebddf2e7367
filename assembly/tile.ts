// The micro-kernel under every matrix product and convolution: rows of the output, two at a time, by up to sixteen
// columns, each the sum over a walk through `a` times a panel of packed `b`. It knows nothing of images or blocks:
// contract.ts drives it.

import { load, loadSplat, mulAdd, pmax, pmin, SIMD, splat, store, storePart } from "./lanes";

/**
 * c[i, j] = clamp(init[i, j] + sum over t of a[i, t] b[t, j], lo, hi) for one row or an even number of rows i and up to
 * 16 columns.
 *
 * Even rows start at a0, odd ones at a1, and each two rows advance by `pairStep` bytes. A row is read in n0 runs of n1
 * runs of n2 elements: `step` bytes from one element to the next, `gap1` more after each n2, `gap0` more after each n1
 * (n1, n2 >= 1; n0 may be 0). b is one panel in the same order, 16 wide if columns > 8, else 8. `init` is the address
 * of the first row to start from, rows `initStride` bytes apart, read up to the panel's width; 0 starts from +0.
 *
 * Each sum is sequential in t, multiply then add, and a NaN passes the clamp: no tile, tail or build changes a bit.
 */
export function tile(
  rows: u32, columns: u32, a0: usize, a1: usize, pairStep: usize,
  n0: u32, gap0: usize, n1: u32, gap1: usize, n2: u32, step: usize,
  b: usize, init: usize, initStride: usize, c: usize, cStride: usize, lo: f32, hi: f32,
): void {
  if (SIMD) {
    if (columns > 8) {
      if (rows > 1) {
        rowPairs<v128, u16, u32>(
          64, rows, columns, a0, a1, pairStep, n0, gap0, n1, gap1, n2, step, b, init, initStride, c, cStride, lo, hi,
        );
      } else {
        rowPairs<v128, u8, u32>(
          64, rows, columns, a0, a1, pairStep, n0, gap0, n1, gap1, n2, step, b, init, initStride, c, cStride, lo, hi,
        );
      }
    } else if (rows > 1) {
      rowPairs<v128, u16, u16>(
        32, rows, columns, a0, a1, pairStep, n0, gap0, n1, gap1, n2, step, b, init, initStride, c, cStride, lo, hi,
      );
    } else {
      rowPairs<v128, u8, u16>(
        32, rows, columns, a0, a1, pairStep, n0, gap0, n1, gap1, n2, step, b, init, initStride, c, cStride, lo, hi,
      );
    }
    return;
  }
  // Without SIMD, the same panels four columns at a time.
  const stride: usize = columns > 8 ? 64 : 32;
  for (; columns; columns -= min<u32>(columns, 4)) {
    if (rows > 1) {
      rowPairs<f32, u16, u32>(
        stride, rows, columns, a0, a1, pairStep, n0, gap0, n1, gap1, n2, step, b, init, initStride, c, cStride, lo, hi,
      );
    } else {
      rowPairs<f32, u8, u32>(
        stride, rows, columns, a0, a1, pairStep, n0, gap0, n1, gap1, n2, step, b, init, initStride, c, cStride, lo, hi,
      );
    }
    b += 16;
    c += 16;
    if (init) init += 16;
  }
}

/**
 * The tile for rows by `W` vectors of `V`, `R` rows at a time: `R` and `W` are types whose sizes are those numbers, the
 * one way to have the compiler drop what a smaller tile does not need. `stride` is the bytes from one row of b to the
 * next.
 *
 * 2 x 16 is the one large tile whose accumulators, factors and product fit the 15 registers of V8 however it schedules
 * them: Node 20 loads all factors of a step first, so that 3 x 12 and 5 x 8 spill (20 to 24 GFLOP/s where 2 x 16 has
 * 40, of a register-only peak of 45); on Node 24 they gain 3 %.
 */
// @ts-ignore: decorator
@inline
function rowPairs<V, R, W>(
  stride: usize, rows: u32, columns: u32, a0: usize, a1: usize, pairStep: usize,
  n0: u32, gap0: usize, n1: u32, gap1: usize, n2: u32, step: usize,
  b: usize, init: usize, initStride: usize, c: usize, cStride: usize, lo: f32, hi: f32,
): void {
  const w = sizeof<V>(), run = <usize>n2 * stride;
  const low = splat<V>(lo), high = splat<V>(hi);
  while (true) {
    let x0 = a0, x1 = a1, y = b;
    let p0 = splat<V>(0), p1 = p0, p2 = p0, p3 = p0, q0 = p0, q1 = p0, q2 = p0, q3 = p0;
    if (init) {
      p0 = load<V>(init);
      p1 = load<V>(init + w);
      if (sizeof<W>() == 4) {
        p2 = load<V>(init + 2 * w);
        p3 = load<V>(init + 3 * w);
      }
      if (sizeof<R>() == 2) {
        const next = init + initStride;
        q0 = load<V>(next);
        q1 = load<V>(next + w);
        if (sizeof<W>() == 4) {
          q2 = load<V>(next + 2 * w);
          q3 = load<V>(next + 3 * w);
        }
      }
    }
    for (let i0 = n0; i0; --i0) {
      let i1 = n1;
      do {
        const end = y + run;
        // V8 unrolls this by itself, keeping the test after each step, which keeps the loads of one step from crowding
        // the next out of the registers. Unrolled twice by hand: Node 24 -5 %, Node 20 +2 %, Bun +10 %.
        do {
          let a = loadSplat<V>(x0), b0 = load<V>(y), b1 = load<V>(y + w), b2 = b0, b3 = b0;
          p0 = mulAdd<V>(a, b0, p0);
          p1 = mulAdd<V>(a, b1, p1);
          if (sizeof<W>() == 4) {
            b2 = load<V>(y + 2 * w);
            b3 = load<V>(y + 3 * w);
            p2 = mulAdd<V>(a, b2, p2);
            p3 = mulAdd<V>(a, b3, p3);
          }
          x0 += step;
          if (sizeof<R>() == 2) {
            a = loadSplat<V>(x1);
            q0 = mulAdd<V>(a, b0, q0);
            q1 = mulAdd<V>(a, b1, q1);
            if (sizeof<W>() == 4) {
              q2 = mulAdd<V>(a, b2, q2);
              q3 = mulAdd<V>(a, b3, q3);
            }
            x1 += step;
          }
          y += stride;
        } while (y != end);
        x0 += gap1;
        x1 += gap1;
      } while (--i1);
      x0 += gap0;
      x1 += gap0;
    }
    storeRow<V, W>(columns, c, low, high, p0, p1, p2, p3);
    if (sizeof<R>() == 1) return;
    storeRow<V, W>(columns, c + cStride, low, high, q0, q1, q2, q3);
    rows -= 2;
    if (!rows) return;
    a0 += pairStep;
    a1 += pairStep;
    c += 2 * cStride;
    init += 2 * initStride;
  }
}

// @ts-ignore: decorator
@inline
function storeRow<V, W>(columns: u32, c: usize, low: V, high: V, v0: V, v1: V, v2: V, v3: V): void {
  const w = sizeof<V>();
  v0 = pmin<V>(pmax<V>(v0, low), high);
  v1 = pmin<V>(pmax<V>(v1, low), high);
  if (sizeof<W>() == 4) {
    v2 = pmin<V>(pmax<V>(v2, low), high);
    v3 = pmin<V>(pmax<V>(v3, low), high);
  }
  if (columns < <u32>(w * sizeof<W>() / 4)) {
    storeColumns<V>(columns, c, v0, v1, v2, v3);
    return;
  }
  store<V>(c, v0);
  store<V>(c + w, v1);
  if (sizeof<W>() == 4) {
    store<V>(c + 2 * w, v2);
    store<V>(c + 3 * w, v3);
  }
}

/** Stores fewer columns than the vectors hold, and nothing past them. */
function storeColumns<V>(columns: u32, c: usize, v0: V, v1: V, v2: V, v3: V): void {
  const w = sizeof<V>(), lanes = <u32>w >> 2;
  let rest = v0;
  if (columns >= lanes) {
    store<V>(c, v0);
    rest = v1;
  }
  if (columns >= 2 * lanes) {
    store<V>(c + w, v1);
    rest = v2;
  }
  if (columns >= 3 * lanes) {
    store<V>(c + 2 * w, v2);
    rest = v3;
  }
  const part = columns % lanes;
  if (part) storePart<V>(c + (<usize>(columns - part) << 2), rest, part);
}
