// The roofs that kernels are measured against: the most multiplications and additions that this engine gets out of SIMD
// registers, and the speed of a copy.
import asc from "assemblyscript/asc";

const SUMS = 12; // enough to hide the latency of multiply and add; with two constants they fill the registers that V8 uses
const UNROLL = 2; // hides the loop itself; more gains nothing
const STEPS = 50_000;
const COPY = 2 ** 22; // bytes

/** In AssemblyScript: SUMS independent sums s = s * x + y in registers; no memory is touched. */
function source() {
  const sums = Array.from({ length: SUMS }, (_, i) => `s${i}`);
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

/** Rows to measure: `flops` or `bytes` say what a call does. */
export async function roofs() {
  const options = { optimizeLevel: 3, enable: ["simd"], runtime: "stub", noAssert: true };
  const { binary, stderr, error } = await asc.compileString({ "peak.ts": source() }, options);
  if (error) throw new Error(String(stderr), { cause: error });
  const { peak } = (await WebAssembly.instantiate(binary)).instance.exports;
  const memory = new Uint8Array(2 * COPY);
  return [
    {
      section: "roof",
      name: "f32x4 multiply and add",
      flops: STEPS * UNROLL * SUMS * 8,
      run: () => peak(STEPS, 0.5, 1),
    },
    { section: "roof", name: "copy of 4 MiB", bytes: 2 * COPY, run: () => memory.copyWithin(COPY, 0, COPY) },
  ];
}
