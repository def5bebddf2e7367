// Kernels that only move data.

/** y [n] = x [n]. */
export function f32_copy(n: u32, x: usize, y: usize): void {
  memory.copy(y, x, <usize>n << 2);
}

/**
 * y [batch, oh, ow, c] = zeros with y[b, top + i stepH, left + j stepW] = x[b, i, j] for x [batch, h, w, c]; what falls outside is left out,
 * so that top and left may be negative.
 */
export function f32_pad2d(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, top: i32, left: i32, stepH: u32, stepW: u32, x: usize, y: usize,
): void {
  const pixel = <usize>c << 2;
  memory.fill(y, 0, <usize>(batch * oh * ow) * pixel);
  for (let b: u32 = 0; b < batch; ++b, x += <usize>(h * w) * pixel, y += <usize>(oh * ow) * pixel) {
    for (let i: u32 = 0; i < h; ++i) {
      const p = top + <i32>(i * stepH);
      if (p < 0 || p >= <i32>oh) continue;
      for (let j: u32 = 0; j < w; ++j) {
        const q = left + <i32>(j * stepW);
        if (q >= 0 && q < <i32>ow) memory.copy(y + <usize>(p * ow + q) * pixel, x + <usize>(i * w + j) * pixel, pixel);
      }
    }
  }
}
