// The LSTM with all that TensorFlow Lite's operator has: peepholes (Gers and Schmidhuber 2000), gates that are layer-normalized (Ba and
// others 2016), an input gate that is 1 - f, clipped cells, and a projection (Sak and others 2014); weights in float32, or in int8 by
// hybrid.ts. No gradient: lstm.ts is the cell that layers train.

import { hybridRow } from "./hybrid";
import { f32_layer_norm } from "./layernorm";
import { load, SIMD, splat, sub } from "./lanes";
import { f32_clamp, put } from "./map";
import { activate, addTimes, product, SIGMOID, times } from "./recurrent";

/** What TensorFlow Lite adds to a variance. */
const EPSILON: f32 = 1e-8;

/**
 * y [batch, steps, m] and c [batch, n], the cells after the last step, of z [batch, steps, 4 n] = i, f, g, o before what they have from
 * the states: y of the step before times u [m, 4 n], in the first step h0 [batch, m]. c = f c_before + i g, the cells before the first
 * step c0; y = o activation(c) times p [n, m] + pBias, or without p (0) that itself, where m = n. Coupled, there is no i: z has 3 n,
 * and i = 1 - f.
 *
 * u and p are packed floats, or with uScale and pScale (0 for none) padded rows of int8, [4 n, m] and [m, n]: their scales, and the
 * sums of their rows. peephole [3, n] (i, f, o; 0 for none) times the cells joins the gates, that of o times the new ones. norm [4, n]
 * (0 for none) is what normalized gates go times, before bias [4, n]. Cells are clipped to clip, y to pClip, where these are above 0.
 *
 * `scratch`: the gates [batch, 4 n], three times [batch, n], then 32 bytes and max(m, n) padded bytes.
 */
export function f32_lstm_projected(
  batch: u32, steps: u32, n: u32, m: u32, z: usize, u: usize, uScale: usize, uSums: usize, peephole: usize,
  norm: usize, bias: usize, p: usize, pScale: usize, pSums: usize, pBias: usize, h0: usize, c0: usize,
  y: usize, c: usize, scratch: usize, activation: u32, clip: f32, pClip: f32, isCoupled: bool, isAsymmetric: bool,
): void {
  const row = <usize>n << 2, out = <usize>m << 2, all = out * steps;
  const width = isCoupled ? <u32>3 : <u32>4, wide = row * width;
  const hidden = scratch + wide * batch, spare = hidden + row * batch, bytes = spare + row + 16;
  memory.copy(c, c0, row * batch);
  let h = h0, stride = out;
  for (let t: u32 = 0; t < steps; t++, z += wide, y += out) {
    if (uScale) {
      for (let b: u32 = 0; b < batch; b++) {
        const from = z + wide * steps * b, gates = scratch + wide * b;
        hybridRow(width * n, m, h + stride * b, u, uScale, uSums, from, gates, bytes, isAsymmetric);
      }
    } else {
      product(batch, width * n, m, h, stride, u, z, wide * steps, scratch, wide);
    }
    for (let b: u32 = 0; b < batch; b++) {
      const cell = c + row * b, first = scratch + wide * b;
      const i = isCoupled ? spare : first, f = isCoupled ? first : first + row, g = f + row, o = g + row;
      const peepF = isCoupled ? peephole : peephole + row, normF = isCoupled ? norm : norm + row;
      const biasF = isCoupled ? bias : bias + row;
      if (!isCoupled) gate(SIGMOID, n, i, peephole, cell, norm, bias, spare);
      gate(SIGMOID, n, f, peephole ? peepF : 0, cell, norm ? normF : 0, biasF, spare);
      gate(activation, n, g, 0, cell, norm ? normF + row : 0, biasF + row, spare);
      times(n, f, cell, cell);
      if (isCoupled) complement(n, f, i);
      addTimes(n, i, g, cell);
      if (clip > 0) f32_clamp(n, cell, cell, -clip, clip);
      gate(SIGMOID, n, o, peephole ? peepF + row : 0, cell, norm ? normF + 2 * row : 0, biasF + 2 * row, spare);
      activate(activation, n, cell, g);
      times(n, o, g, p ? hidden + row * b : y + all * b);
    }
    if (p) project(batch, n, m, hidden, p, pScale, pSums, pBias, y, all, bytes, pClip, isAsymmetric);
    h = y;
    stride = all;
  }
}

/** A gate [n], before its activation without what the cells and the normalization do. `spare` is for two floats. */
function gate(
  kind: u32, n: u32, x: usize, peephole: usize, cell: usize, norm: usize, bias: usize, spare: usize,
): void {
  if (peephole) addTimes(n, peephole, cell, x);
  if (norm) f32_layer_norm(1, n, x, norm, bias, x, spare + (<usize>n << 2), EPSILON);
  activate(kind, n, x, x);
}

/** Rows y [batch, m], `all` bytes apart, of hidden [batch, n]. */
function project(
  batch: u32, n: u32, m: u32, hidden: usize, p: usize, pScale: usize, pSums: usize, pBias: usize, y: usize, all: usize,
  bytes: usize, pClip: f32, isAsymmetric: bool,
): void {
  const row = <usize>n << 2;
  if (!pScale) product(batch, m, n, hidden, row, p, pBias, 0, y, all);
  for (; batch > 0; batch--, hidden += row, y += all) {
    if (pScale) hybridRow(m, n, hidden, p, pScale, pSums, pBias, y, bytes, isAsymmetric);
    if (pClip > 0) f32_clamp(m, y, y, -pClip, pClip);
  }
}

/** y [n] = 1 - x. */
function complement(n: u32, x: usize, y: usize): void {
  if (SIMD) complementLanes<v128>(n, x, y);
  else complementLanes<f32>(n, x, y);
}

function complementLanes<V>(n: u32, x: usize, y: usize): void {
  for (const end = y + (<usize>n << 2); y < end; x += sizeof<V>(), y += sizeof<V>()) {
    put<V>(y, sub<V>(splat<V>(1), load<V>(x)), end - y);
  }
}
