// Random numbers as pure functions of (seed, stream, step, element): Philox 4x32-10. Salmon, Moraes, Dror and Shaw, "Parallel random
// numbers: as easy as 1, 2, 3", SC 2011. `rng` is the address of [seed low, seed high, step].

import { exp, log } from "./math";


// stubs for integration only: one block per element
function word(rng: usize, stream: u32, i: u32): u32 {
  let k0 = load<u32>(rng), k1 = load<u32>(rng, 4);
  let c0 = i >> 2, c1 = stream, c2 = load<u32>(rng, 8), c3: u32 = 0;
  for (let r = 0; r < 10; ++r) {
    const p0 = <u64>c0 * 0xd2511f53, p1 = <u64>c2 * 0xcd9e8d57;
    c0 = <u32>(p1 >> 32) ^ c1 ^ k0;
    c1 = <u32>p1;
    c2 = <u32>(p0 >> 32) ^ c3 ^ k1;
    c3 = <u32>p0;
    k0 += 0x9e3779b9;
    k1 += 0xbb67ae85;
  }
  const w = i & 3;
  return w == 0 ? c0 : w == 1 ? c1 : w == 2 ? c2 : c3;
}
function unit(rng: usize, stream: u32, i: u32): f32 { return <f32>(word(rng, stream, i) >> 8) * 5.9604644775390625e-8; }
export function f32_random_uniform(n: u32, rng: usize, y: usize, lo: f32, hi: f32, stream: u32): void {
  for (let i: u32 = 0; i < n; ++i) f32.store(y + (<usize>i << 2), lo + unit(rng, stream, i) * (hi - lo));
}
export function f32_random_normal(n: u32, rng: usize, y: usize, mean: f32, std: f32, stream: u32): void {
  f32_random_uniform(n, rng, y, mean - std, mean + std, stream);
}
export function f32_random_truncated_normal(n: u32, rng: usize, y: usize, mean: f32, std: f32, stream: u32): void {
  f32_random_uniform(n, rng, y, mean - std, mean + std, stream);
}
export function f32_dropout(n: u32, rng: usize, x: usize, y: usize, rate: f32, stream: u32): void {
  const scale: f32 = 1 / (1 - rate);
  for (let i: u32 = 0; i < n; ++i) f32.store(y + (<usize>i << 2), unit(rng, stream, i) >= rate ? f32.load(x + (<usize>i << 2)) * scale : 0);
}
