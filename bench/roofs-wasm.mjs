// Makes the WebAssembly of roofs.mjs, from AssemblyScript. Needs Node.
import asc from "assemblyscript/asc";
import { SUMS, UNROLL } from "./roofs-constants.mjs";

const VECTORS = 8; // per turn of a loop over memory

const list = (count, text) => Array.from({ length: count }, (_, i) => text(i));

/** SUMS independent sums s = s * x + y in registers: no memory is touched. */
function peak() {
  const sums = list(SUMS, (i) => `s${i}`);
  const step = sums.map((s) => `${s} = f32x4.add(f32x4.mul(${s}, x), y);`).join("\n");
  return `
export function peak(steps: u32, a: f32, b: f32): f32 {
  const x = f32x4.splat(a), y = f32x4.splat(b);
  let ${sums.map((s, i) => `${s} = f32x4.splat(${i})`).join(", ")};
  for (let i: u32 = 0; i < steps; ++i) {
    ${step.repeat(UNROLL)}
  }
  return f32x4.extract_lane(${sums.reduce((a, b) => `f32x4.add(${a}, ${b})`)}, 0);
}`;
}

/** Everything once, in 4 independent bitwise sums, whose latency is one cycle. Sizes are multiples of 128 bytes. */
function read() {
  const steps = list(VECTORS, (i) => `s${i % 4} = v128.xor(s${i % 4}, v128.load(p, ${16 * i}));`);
  return `
export function read(x: usize, size: usize, rounds: u32): i32 {
  let ${list(4, (i) => `s${i} = i32x4.splat(0)`).join(", ")};
  for (; rounds > 0; --rounds) {
    for (let p = x; p < x + size; p += ${16 * VECTORS}) { ${steps.join(" ")} }
  }
  return i32x4.extract_lane(v128.xor(v128.xor(s0, s1), v128.xor(s2, s3)), 0);
}`;
}

function copy() {
  const steps = list(VECTORS, (i) => `v128.store(q, v128.load(p, ${16 * i}), ${16 * i});`);
  return `
export function copy(x: usize, y: usize, size: usize, rounds: u32): void {
  for (; rounds > 0; --rounds) {
    for (let p = x, q = y; p < x + size; p += ${16 * VECTORS}, q += ${16 * VECTORS}) { ${steps.join(" ")} }
  }
}`;
}

/** The bytes. */
export async function roofsWasm() {
  const options = { optimizeLevel: 3, enable: ["simd"], runtime: "stub", noAssert: true, importMemory: true };
  const { binary, stderr, error } = await asc.compileString({ "roofs.ts": peak() + read() + copy() }, options);
  if (error) throw new Error(String(stderr), { cause: error });
  return binary;
}
