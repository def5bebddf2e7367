import { expect, test } from "vitest";
import { expectSameBits, instantiate, out, Random, run, runF32, SIZES, SPECIALS } from "./harness.js";

/** Towards zero, saturated, NaN as 0. */
const saturate = (x: number, low: number, high: number): number =>
  Number.isNaN(x) ? 0 : Math.min(Math.max(Math.trunc(x), low), high);

const EDGES = Float32Array.of(
  ...SPECIALS,
  2 ** 31,
  2 ** 31 - 128,
  -(2 ** 31),
  -(2 ** 31) - 256,
  127.9,
  128,
  -128.9,
  -129,
  255.5,
  256,
  -0.9,
  0.9,
  1e10,
  -1e10,
);
const floats = (n: number): Float32Array => {
  const random = new Random(n);
  return Float32Array.from({ length: n }, () =>
    random.int(0, 2) ? EDGES[random.int(0, EDGES.length)] : random.float(-300, 300),
  );
};

test("float32 and int32, at every length", () => {
  for (const n of SIZES) {
    const x = floats(n);
    const { outputs } = run("f32_to_i32", n, x, out(n, Int32Array));
    expectSameBits(
      outputs[0],
      Int32Array.from(x, (v) => saturate(v, -(2 ** 31), 2 ** 31 - 1) + 0),
      `n = ${n}`,
    );
    const integers = Int32Array.from({ length: n }, (_, i) => new Random(i).u32() | 0);
    expectSameBits(runF32("i32_to_f32", n, integers, out(n)), Float32Array.from(integers), `back, n = ${n}`);
  }
});

type Bytes = Int8Array | Uint8Array;

/** A kernel between arrays of any width, in both builds, with guard bytes behind its result. */
function convert<T extends Bytes | Float32Array | Int32Array>(
  kernel: string,
  x: Bytes | Float32Array | Int32Array,
  y: T,
): T {
  const results = (["simd", "scalar"] as const).map((build) => {
    const { memory, exports, heap } = instantiate(build);
    const bytes = new Uint8Array(memory.buffer);
    const [from, to] = [heap, heap + 8192];
    bytes.set(new Uint8Array(x.buffer, x.byteOffset, x.byteLength), from);
    bytes.fill(0xa5, to, to + y.byteLength + 64);
    exports[kernel](x.length, from, to);
    expect(
      bytes.slice(to + y.byteLength, to + y.byteLength + 64).every((b) => b === 0xa5),
      `${kernel} stays inside`,
    ).toBe(true);
    return bytes.slice(to, to + y.byteLength);
  });
  expect(results[0], `${kernel}: SIMD against scalar`).toEqual(results[1]);
  new Uint8Array(y.buffer).set(results[0]);
  return y;
}

const flag = (v: number): number => Number(v !== 0);

test.each(SIZES)("bytes to and from everything, n = %i", (n) => {
  const random = new Random(n);
  const f = floats(n);
  const i = Int32Array.from({ length: n }, () => (random.int(0, 3) ? random.u32() | 0 : random.int(-1, 2)));
  const s = Int8Array.from({ length: n }, () => random.int(-128, 128));
  const u = Uint8Array.from({ length: n }, () => (random.int(0, 3) ? random.int(0, 256) : 0));
  expect(convert("f32_to_i8", f, new Int8Array(n))).toEqual(Int8Array.from(f, (v) => saturate(v, -128, 127)));
  expect(convert("f32_to_u8", f, new Uint8Array(n))).toEqual(Uint8Array.from(f, (v) => saturate(v, 0, 255)));
  expect(convert("f32_to_bool", f, new Uint8Array(n))).toEqual(Uint8Array.from(f, flag));
  expect(convert("i32_to_x8", i, new Int8Array(n))).toEqual(Int8Array.from(i));
  expect(convert("i32_to_x8", i, new Uint8Array(n))).toEqual(Uint8Array.from(i));
  expect(convert("i32_to_bool", i, new Uint8Array(n))).toEqual(Uint8Array.from(i, flag));
  expect(convert("i8_to_f32", s, new Float32Array(n))).toEqual(Float32Array.from(s));
  expect(convert("u8_to_f32", u, new Float32Array(n))).toEqual(Float32Array.from(u));
  expect(convert("i8_to_i32", s, new Int32Array(n))).toEqual(Int32Array.from(s));
  expect(convert("u8_to_i32", u, new Int32Array(n))).toEqual(Int32Array.from(u));
  expect(convert("x8_copy", s, new Int8Array(n))).toEqual(s);
  expect(convert("x8_to_bool", u, new Uint8Array(n))).toEqual(Uint8Array.from(u, flag));
});
