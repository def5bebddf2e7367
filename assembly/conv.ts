// Convolution of NHWC images without padding, as products whose left operand is read straight from the image
// (contract.ts). Padding and the dilation that the gradient of a strided convolution needs are made before, by
// f32_pad2d. Groups are as many products, each on its own range of channels.

import { contract } from "./contract";
import { COLUMN_TERMS, TERMS } from "./gemm";
import { copyStrided, gemm_packed_size } from "./pack";

/**
 * y [batch, oh, ow, n] = clamp(x [batch, h, w, c] convolved with f [kh, kw, c, n] + bias [n], lo, hi), strides sh, sw,
 * dilations dh, dw: y[b, i, j] = sum of x[b, i sh + p dh, j sw + q dw] f[p, q] over p, q and c. `packed` is
 * f32_gemm_pack of f as [kh kw c, n]. Sums and clamp as in f32_gemm, in order of (p, q, c).
 */
export function f32_conv2d(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32, dh: u32, dw: u32, n: u32,
  x: usize, packed: usize, bias: usize, y: usize, lo: f32, hi: f32,
): void {
  f32_conv2d_grouped(batch, h, w, c, oh, ow, kh, kw, sh, sw, dh, dw, n, 1, x, packed, bias, y, lo, hi);
}

/**
 * f32_conv2d in groups: outputs g n / groups to (g + 1) n / groups see the inputs g c / groups to (g + 1) c / groups only.
 * `packed` holds, for one group after the other, f32_gemm_pack of its [kh kw c / groups, n / groups].
 */
export function f32_conv2d_grouped(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32, dh: u32, dw: u32, n: u32,
  groups: u32, x: usize, packed: usize, bias: usize, y: usize, lo: f32, hi: f32,
): void {
  assert(!oh || !kh || (oh - 1) * sh + (kh - 1) * dh < h);
  assert(!ow || !kw || (ow - 1) * sw + (kw - 1) * dw < w);
  const pixel = <usize>c << 2, row = <usize>w * pixel, cg = c / groups, ng = n / groups;
  for (let g: u32 = 0; g < groups; g++) {
    contract(
      batch, <usize>h * row, oh, <usize>sh * row, ow, <usize>sw * pixel,
      kh, <usize>dh * row, kw, <usize>dw * pixel, cg, 4,
      TERMS, ng, x, packed, bias, y, <usize>n << 2, lo, hi,
    );
    x += <usize>cg << 2;
    y += <usize>ng << 2;
    packed += <usize>gemm_packed_size(kh * kw * cg, ng) << 2;
    if (bias) bias += <usize>ng << 2;
  }
}

/**
 * The gradient of f32_conv2d to its filter: df [kh, kw, c, n] = sum of x times dy [batch, oh, ow, n], each element
 * starting at +0 and adding in order of (b, i, j). `packed` is f32_gemm_pack of dy as [batch oh ow, n]. May read df up
 * to 28 bytes past its end.
 */
export function f32_conv2d_filter_grad(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32, dh: u32, dw: u32, n: u32,
  x: usize, packed: usize, df: usize,
): void {
  f32_conv2d_filter_grad_grouped(batch, h, w, c, oh, ow, kh, kw, sh, sw, dh, dw, n, 1, c, 1, x, packed, df);
}

/**
 * The gradient of f32_conv2d_grouped to its filter: df [kh, kw, c / groups, n]. `packed` holds, for one group after the
 * other, f32_gemm_pack of its n / groups columns of dy. Pixels of x are `pixel` elements apart and channels `channel`:
 * (c, 1), or (1, batch h w) for x [c, batch, h, w]. Then terms are neighbours in memory, not each in a cache line of its
 * own: 5x5 28x28 32>64 takes 1.69 ms, the transposition included, instead of 1.90 (Node 24).
 */
export function f32_conv2d_filter_grad_grouped(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32, dh: u32, dw: u32, n: u32,
  groups: u32, pixel: u32, channel: u32, x: usize, packed: usize, df: usize,
): void {
  assert(!oh || !kh || (oh - 1) * sh + (kh - 1) * dh < h);
  assert(!ow || !kw || (ow - 1) * sw + (kw - 1) * dw < w);
  const across = <usize>pixel << 2, row = <usize>w * across, up = <usize>channel << 2;
  const cg = c / groups, ng = n / groups;
  for (let g: u32 = 0; g < groups; g++) {
    contract(
      kh, <usize>dh * row, kw, <usize>dw * across, cg, up,
      batch, <usize>h * row, oh, <usize>sh * row, ow, <usize>sw * across,
      pixel == 1 ? TERMS : COLUMN_TERMS, ng, x, packed, 0, df, <usize>n << 2, -Infinity, Infinity,
    );
    x += <usize>cg * up;
    df += <usize>ng << 2;
    packed += <usize>gemm_packed_size(batch * oh * ow, ng) << 2;
  }
}

/**
 * y [groups, kh, kw, n / groups, c] with y[g, p, q, j, i] = f[kh - 1 - p, kw - 1 - q, i, g n / groups + j] for f [kh, kw, c, n]:
 * the filter whose convolution with the padded (and, for strides, spread) dy is the gradient to x, c channels in each group.
 */
export function f32_conv2d_flip(kh: u32, kw: u32, c: u32, n: u32, groups: u32, f: usize, y: usize): void {
  const size = <usize>(c * n) << 2, ng = n / groups, step = <usize>(c * ng) << 2;
  for (let g: u32 = 0; g < groups; g++, f += <usize>ng << 2) {
    for (let tap = f + <usize>(kh * kw) * size; tap > f; y += step) {
      tap -= size;
      copyStrided(ng, c, c, 1, n, tap, y);
    }
  }
}
