// Rotary position embedding: the halves of each row turned by the angles of its position.

import { add, load, mul, SIMD, splat, sub } from "./lanes";
import { put } from "./map";

/**
 * y [batch, t, heads, 2 half] = (a cos - b sin, b cos + a sin) for x = (a, b), with turns [t, 2, half] = cos, sin and the sine times
 * `sign`; y may be x.
 */
export function f32_rotary(
  batch: u32, t: u32, heads: u32, half: u32, x: usize, turns: usize, y: usize, sign: f32,
): void {
  const row = <usize>half << 2;
  for (; batch > 0; batch--) {
    for (let i: u32 = 0, turn = turns; i < t; i++, turn += 2 * row) {
      for (let h: u32 = 0; h < heads; h++, x += 2 * row, y += 2 * row) {
        if (SIMD) rotate<v128>(row, x, turn, y, splat<v128>(sign));
        else rotate<f32>(row, x, turn, y, sign);
      }
    }
  }
}

function rotate<V>(row: usize, x: usize, turn: usize, y: usize, sign: V): void {
  for (let j: usize = 0; j < row; j += sizeof<V>()) {
    const a = load<V>(x + j), b = load<V>(x + row + j);
    const cos = load<V>(turn + j), sin = mul<V>(load<V>(turn + row + j), sign);
    put<V>(y + j, sub<V>(mul<V>(a, cos), mul<V>(b, sin)), row - j);
    put<V>(y + row + j, add<V>(mul<V>(b, cos), mul<V>(a, sin)), row - j);
  }
}
