// Attention in one pass over the keys: blocks of scores go through a running softmax (Milakov and Gimelshein, "Online normalizer
// calculation for softmax", 2018; Dao et al., "FlashAttention", 2022), so that no matrix of queries by keys is ever stored. The products
// are those of tile.ts, on packed blocks of keys and values; the gradient is in attentiongrad.ts.

import { pmax } from "./lanes";
import { map } from "./map";
import { log } from "./math";
import { f32_gemm_pack } from "./pack";
import { f32_dropout } from "./random";
import { fold } from "./reduce";
import { exponentials, Max, Scale } from "./softmax";
import { tile } from "./tile";

/** Queries and keys of a block, whose scores are [64, 64] in the first-level cache. A running sum is as exact over any. */
export const BLOCK: u32 = 64;
/** Bytes from one row of a block of scores to the next. */
export const ROW: usize = 256;

/**
 * y [batch, t, heads, e] = softmax(scale q k') v for each head: q [batch, t, heads, d], k [batch, s, groups, d], v [batch, s, groups, e];
 * heads / groups heads in a row share keys and values. lse [batch, heads, t] = log of the sum of e^score. Only units `from` to `to` of
 * batch x heads x blocks of 64 rows are done.
 *
 * A key counts for a query where key <= query if `causal`, and where the byte of `mask` (0 for none) is not 0, maskBatch, maskHead and
 * maskRow bytes apart. Where none counts, y is 0 and lse +inf. With a rate, f32_dropout of [batch, heads, t, s in whole sixteens] is
 * applied to the softmax.
 *
 * Scores are sums over d in order, of q times the rounded scale k. Over each 64 keys the maximum goes on from the last, the sum of
 * exponentials is in the order of `fold`, added to what came before times e^(old - new maximum), and y is a sum over keys in order,
 * multiplied by that factor where it changed, at the end by 1 / sum. s > 0; `scratch` has 64 (d + 66) floats and 64 for every e, in whole
 * eights.
 */
export function f32_attention(
  from: u32, to: u32, t: u32, s: u32, heads: u32, groups: u32, d: u32, e: u32, causal: u32,
  maskBatch: u32, maskHead: u32, maskRow: u32, stream: u32,
  q: usize, k: usize, v: usize, mask: usize, rng: usize, y: usize, lse: usize, scratch: usize, scale: f32, rate: f32,
): void {
  const blocks = (t + BLOCK - 1) / BLOCK, qRow = <usize>(heads * d) << 2, yRow = <usize>(heads * e) << 2;
  const keys = scratch, values = keys + (<usize>(BLOCK * d) << 2);
  const scores = values + (<usize>(BLOCK * ((e + 7) & ~7)) << 2), best = scores + ROW * BLOCK, sums = best + ROW;
  for (; from < to; ++from) {
    const i0 = from % blocks * BLOCK, head = from / blocks % heads, batch = from / blocks / heads;
    const m = min<u32>(t - i0, BLOCK), index = (batch * t + i0) * heads + head, first = (batch * heads + head) * t + i0;
    const group = batch * s * groups + head / (heads / groups), end = causal ? min<u32>(s, i0 + m) : s;
    const rows = q + (<usize>(index * d) << 2), out = y + (<usize>(index * e) << 2);
    const allowed = mask + batch * maskBatch + head * maskHead + i0 * maskRow;
    for (let j0: u32 = 0; j0 < end; j0 += BLOCK) {
      const n = min<u32>(end - j0, BLOCK), diagonal = causal != 0 && i0 == j0, key = group + j0 * groups;
      packScaled(d, n, 1, groups * d, k + (<usize>(key * d) << 2), keys, scale);
      f32_gemm_pack(n, e, groups * e, 1, v + (<usize>(key * e) << 2), values);
      scoresOf(m, n, d, diagonal, rows, qRow, keys, scores);
      for (let r: u32 = 0; r < m; ++r) {
        const row = scores + <usize>r * ROW, width = diagonal ? min<u32>(n, (r | 15) + 1) : n, at = <usize>r << 2;
        const line = out + <usize>r * yRow;
        hide(row, diagonal ? r + 1 : width, width, mask ? allowed + r * maskRow + j0 : 0);
        const old = j0 ? f32.load(best + at) : -Infinity, now = pmax<f32>(old, fold<Max>(width, row, row, 0));
        const shift: f32 = now == -Infinity ? 0 : now;
        let sum = exponentials(width, row, row, shift);
        if (j0) {
          const factor = old < now ? exponentials(1, best + at, 0, shift) : 1;
          if (old < now) map<Scale>(e, line, factor, 1, line);
          sum += f32.load(sums + at) * factor;
        }
        f32.store(best + at, now);
        f32.store(sums + at, sum);
        if (rate > 0) f32_dropout(width, rng, row, row, rate, stream, (first + r) * ((s + 15) & ~15) + j0);
      }
      // On the diagonal, sixteen queries at a time: what they all may not see is left out.
      const step: u32 = diagonal ? 16 : BLOCK;
      for (let r: u32 = 0; r < m; r += step) {
        const seen = diagonal ? min<u32>(n, r + 16) : n;
        const row = scores + <usize>r * ROW, line = out + <usize>r * yRow;
        product(min<u32>(m - r, step), e, seen, row, ROW, 4, n, 0, values, line, yRow, j0 > 0);
      }
    }
    for (let r: u32 = 0; r < m; ++r) {
      const sum = f32.load(sums + (<usize>r << 2)), none = sum == 0, line = out + <usize>r * yRow;
      map<Scale>(e, line, none ? 0 : 1 / sum, 1, line);
      const total = f32.load(best + (<usize>r << 2)) + log<f32>(sum);
      f32.store(lse + (<usize>(first + r) << 2), none ? Infinity : total);
    }
  }
}

/** f32_gemm_pack, and all of it times `scale`. */
export function packScaled(k: u32, n: u32, rowStride: u32, colStride: u32, x: usize, packed: usize, scale: f32): void {
  f32_gemm_pack(k, n, rowStride, colStride, x, packed);
  map<Scale>(k * ((n + 7) & ~7), packed, scale, 1, packed);
}

/** scores [m, n] = rows [m, d] times packed keys; on the diagonal without the panels of keys that come after a query. */
export function scoresOf(
  m: u32, n: u32, d: u32, diagonal: bool, rows: usize, row: usize, keys: usize, scores: usize,
): void {
  for (let c: u32 = 0; c < n; c += 16) {
    const r = diagonal ? c : 0;
    if (r >= m) return;
    const panel = keys + (<usize>(c * d) << 2), to = scores + <usize>r * ROW + (<usize>c << 2);
    product(m - r, min<u32>(16, n - c), d, rows + <usize>r * row, row, 4, d, 0, panel, to, ROW, false);
  }
}

/** A row of scores: -inf from `seen` to `width`, and where the mask (0 for none) is 0. */
export function hide(row: usize, seen: u32, width: u32, mask: usize): void {
  for (let c = seen; c < width; ++c) f32.store(row + (<usize>c << 2), -Infinity);
  if (!mask) return;
  for (const end = mask + width; mask < end; ++mask, row += 4) {
    f32.store(row, load<u8>(mask) ? f32.load(row) : -Infinity);
  }
}

/**
 * c [m, n] = a [m, k] times rows `skip` to skip + k of packed b [whole, n], or that added to c if `more`. Rows of a are `row` bytes apart,
 * its terms `step`. Sums in order of k.
 */
export function product(
  m: u32, n: u32, k: u32, a: usize, row: usize, step: usize, whole: u32, skip: u32, b: usize, c: usize, cRow: usize,
  more: bool,
): void {
  const even = m & ~1, some: u32 = k ? 1 : 0, from = more ? cRow : 0;
  for (let j: u32 = 0; j < n; j += 16) {
    const columns = min<u32>(16, n - j), panel = b + (<usize>skip << (columns > 8 ? 6 : 5)), init = more ? c : 0;
    if (even) {
      tile(
        even, columns, a, a + row, 2 * row, some, 0, 1, 0, k, step, panel, init, from, c, cRow, -Infinity, Infinity,
      );
    }
    if (m != even) {
      const last = <usize>even * cRow;
      tile(
        1, columns, a + <usize>even * row, 0, 0, some, 0, 1, 0, k, step, panel, more ? c + last : 0, 0, c + last, 0,
        -Infinity, Infinity,
      );
    }
    b += <usize>whole << 6;
    c += 64;
  }
}
