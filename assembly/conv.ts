// Convolution of NHWC images without padding, as products whose left operand is read straight from the image
// (contract.ts). Padding and the dilation that the gradient of a strided convolution needs are made before, by
// f32_pad2d.

import { contract } from "./contract";
import { COLUMN_TERMS, TERMS } from "./gemm";
import { copyStrided } from "./pack";

/**
 * y [batch, oh, ow, n] = clamp(x [batch, h, w, c] convolved with f [kh, kw, c, n] + bias [n], lo, hi), strides sh, sw,
 * dilations dh, dw: y[b, i, j] = sum of x[b, i sh + p dh, j sw + q dw] f[p, q] over p, q and c. `packed` is
 * f32_gemm_pack of f as [kh kw c, n]. Sums and clamp as in f32_gemm, in order of (p, q, c).
 */
export function f32_conv2d(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32, dh: u32, dw: u32, n: u32,
  x: usize, packed: usize, bias: usize, y: usize, lo: f32, hi: f32,
): void {
  assert(!oh || !kh || (oh - 1) * sh + (kh - 1) * dh < h);
  assert(!ow || !kw || (ow - 1) * sw + (kw - 1) * dw < w);
  const pixel = <usize>c << 2, row = <usize>w * pixel;
  contract(
    batch, <usize>h * row, oh, <usize>sh * row, ow, <usize>sw * pixel,
    kh, <usize>dh * row, kw, <usize>dw * pixel, c, 4,
    TERMS, n, x, packed, bias, y, lo, hi,
  );
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
  assert(!oh || !kh || (oh - 1) * sh + (kh - 1) * dh < h);
  assert(!ow || !kw || (ow - 1) * sw + (kw - 1) * dw < w);
  const pixel = <usize>c << 2, row = <usize>w * pixel;
  contract(
    kh, <usize>dh * row, kw, <usize>dw * pixel, c, 4,
    batch, <usize>h * row, oh, <usize>sh * row, ow, <usize>sw * pixel,
    COLUMN_TERMS, n, x, packed, 0, df, -Infinity, Infinity,
  );
}

/**
 * y [kh, kw, n, c] with y[p, q, j, i] = f[kh - 1 - p, kw - 1 - q, i, j]: the filter whose convolution with the padded
 * (and, for strides, spread) dy is the gradient to x.
 */
export function f32_conv2d_flip(kh: u32, kw: u32, c: u32, n: u32, f: usize, y: usize): void {
  const size = <usize>(c * n) << 2;
  for (let tap = f + <usize>(kh * kw) * size; tap > f; y += size) {
    tap -= size;
    copyStrided(n, c, c, 1, n, tap, y);
  }
}
