// Gradients of attention.ts: the scores of each block are found again from the rows' logarithms, as FlashAttention does.

import { BLOCK, hide, packScaled, product, ROW, scoresOf } from "./attention";
import { zip } from "./map";
import { f32_gemm_pack } from "./pack";
import { f32_dropout } from "./random";
import { fold } from "./reduce";
import { Dot, exponentials, SoftmaxGrad } from "./softmax";

/**
 * dq, dk and dv from y, lse and dy of f32_attention, whose other arguments these are. Only units `from` to `to` of batch x groups are
 * done. With p = e^(score - lse), its dropout z, and dp = the dropout of dy v', dv = z' dy, dk = ds' (scale q) and dq = ds (scale k)
 * where ds = p (dp - sum(dy y)), that sum in the order of `fold`. Sums of dv and dk are over the heads of a group, each over its queries,
 * those of dq over the keys, all in order. `scratch` has 64 (d + e + 2 d' + e' + 128) floats, d' and e' in whole eights.
 */
export function f32_attention_grad(
  from: u32, to: u32, t: u32, s: u32, heads: u32, groups: u32, d: u32, e: u32, causal: u32,
  maskBatch: u32, maskHead: u32, maskRow: u32, stream: u32,
  q: usize, k: usize, v: usize, mask: usize, rng: usize, y: usize, lse: usize, dy: usize,
  dq: usize, dk: usize, dv: usize, scratch: usize, scale: f32, rate: f32,
): void {
  const share = heads / groups, wide = (d + 7) & ~7, whole = (s + 15) & ~15;
  const qRow = <usize>(heads * d) << 2, yRow = <usize>(heads * e) << 2;
  const kRow = <usize>(groups * d) << 2, vRow = <usize>(groups * e) << 2;
  const keysAcross = scratch, valuesAcross = keysAcross + ROW * d, keys = valuesAcross + ROW * e;
  const queries = keys + ROW * wide, ups = queries + ROW * wide;
  const scores = ups + ROW * ((e + 7) & ~7), slopes = scores + ROW * BLOCK;
  for (; from < to; ++from) {
    const batch = from / groups, group = from % groups;
    for (let h: u32 = 0; h < share; ++h) {
      const head = group * share + h;
      for (let j0: u32 = 0; j0 < s; j0 += BLOCK) {
        const n = min<u32>(s - j0, BLOCK), key = (batch * s + j0) * groups + group, start = causal ? j0 : 0;
        const kAt = k + (<usize>(key * d) << 2), vAt = v + (<usize>(key * e) << 2);
        const dkAt = dk + (<usize>(key * d) << 2), dvAt = dv + (<usize>(key * e) << 2);
        packScaled(d, n, 1, groups * d, kAt, keysAcross, scale);
        packScaled(n, d, groups * d, 1, kAt, keys, scale);
        f32_gemm_pack(e, n, 1, groups * e, vAt, valuesAcross);
        if (start >= t && !h) { // no query sees these keys
          product(n, d, 0, 0, 0, 0, 0, 0, 0, dkAt, kRow, false);
          product(n, e, 0, 0, 0, 0, 0, 0, 0, dvAt, vRow, false);
        }
        for (let i0 = start; i0 < t; i0 += BLOCK) {
          const m = min<u32>(t - i0, BLOCK), diagonal = causal != 0 && i0 == j0, more = h > 0 || i0 > start;
          const index = (batch * t + i0) * heads + head, line = (batch * heads + head) * t + i0;
          const qAt = q + (<usize>(index * d) << 2), yAt = <usize>(index * e) << 2;
          const allowed = mask + batch * maskBatch + head * maskHead + i0 * maskRow + j0;
          packScaled(m, d, heads * d, 1, qAt, queries, scale);
          f32_gemm_pack(m, e, heads * e, 1, dy + yAt, ups);
          scoresOf(m, n, d, diagonal, qAt, qRow, keysAcross, scores);
          scoresOf(m, n, e, diagonal, dy + yAt, yRow, valuesAcross, slopes);
          for (let r: u32 = 0; r < m; ++r) {
            const row = scores + <usize>r * ROW, slope = slopes + <usize>r * ROW, at = yAt + <usize>r * yRow;
            const width = diagonal ? min<u32>(n, (r | 15) + 1) : n;
            hide(row, diagonal ? min<u32>(r + 1, width) : width, width, mask ? allowed + r * maskRow : 0);
            exponentials(width, row, row, f32.load(lse + (<usize>(line + r) << 2)));
            const drawn = (line + r) * whole + j0, level = fold<Dot>(e, dy + at, y + at, 0);
            if (rate > 0) f32_dropout(width, rng, slope, slope, rate, stream, drawn);
            zip<SoftmaxGrad>(width, row, slope, level, slope);
            if (rate > 0) f32_dropout(width, rng, row, row, rate, stream, drawn);
          }
          // On the diagonal in steps of sixteen, which leave out what no query of theirs sees.
          for (let c: u32 = 0; c < n; c += 16) {
            const r = diagonal ? c : 0, some = r < m ? m - r : 0, columns = min<u32>(16, n - c);
            const at = <usize>r * ROW + (<usize>c << 2);
            product(columns, e, some, scores + at, 4, ROW, m, r, ups, dvAt + <usize>c * vRow, vRow, more);
            product(columns, d, some, slopes + at, 4, ROW, m, r, queries, dkAt + <usize>c * kRow, kRow, more);
          }
          const step: u32 = diagonal ? 16 : BLOCK;
          for (let r: u32 = 0; r < m; r += step) {
            const seen = diagonal ? min<u32>(n, r + 16) : n, to = dq + (<usize>(index * d) << 2) + <usize>r * qRow;
            product(min<u32>(m - r, step), d, seen, slopes + <usize>r * ROW, ROW, 4, n, 0, keys, to, qRow, j0 > 0);
          }
        }
      }
    }
  }
}
