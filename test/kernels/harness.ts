// Runs a kernel in the SIMD and in the scalar build and holds what every kernel promises: the same bits from both, nothing written
// outside its outputs, no input changed. What the numbers should be is each test's own oracle.
// The builds are read from build/, or from the directory that the environment variable KERNELS_DIR names.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

/** `int8dot` has some kernels only, and is for engines where {@link dotIsExact}. */
export type Build = "simd" | "scalar" | "debug" | "int8dot";
export type Numbers = Float32Array | Int32Array | Uint32Array | Int16Array | Int8Array | Uint8Array;
export interface Kernels {
  memory: WebAssembly.Memory;
  exports: Record<string, (...args: number[]) => number>;
  /** First free byte, a multiple of 64. */
  heap: number;
}

/** A buffer the kernel writes: `out` starts as NaN, `inout` as the given numbers. Passed twice, it is one buffer (in place). */
export interface Target {
  initial: Numbers;
}
export type Argument = number | Numbers | Target;

const directory = process.env.KERNELS_DIR
  ? pathToFileURL(`${process.env.KERNELS_DIR}/`)
  : new URL("../../build/", import.meta.url);
const modules = new Map<Build, WebAssembly.Module>();

/** A build's module, compiled once. */
export function moduleOf(build: Build): WebAssembly.Module {
  const module =
    modules.get(build) ?? new WebAssembly.Module(readFileSync(new URL(`kernels.${build}.wasm`, directory)));
  modules.set(build, module);
  return module;
}

/** Whether the build of int8 kernels with a dot product of bytes can be used here. */
export function dotIsExact(): boolean {
  if (!WebAssembly.validate(readFileSync(new URL("kernels.int8dot.wasm", directory)))) return false;
  return instantiate("int8dot").exports.i8_dot_is_exact() === 1;
}

/** A fresh instance of a build on a memory of its own, of `bytes` bytes beyond the heap base. */
export function instantiate(build: Build, bytes = 1 << 20): Kernels {
  const module = moduleOf(build);
  const memory = new WebAssembly.Memory({ initial: Math.ceil((bytes + 65536) / 65536) });
  const abort = (_message: number, _file: number, line: number) => {
    throw new Error(`assertion failed in a kernel, line ${line}`);
  };
  const exports = new WebAssembly.Instance(module, { env: { memory, abort } }).exports as Kernels["exports"];
  return { memory, exports, heap: ((exports.heapBase?.() ?? 1024) + 63) & ~63 };
}

/** An output of `length` elements. */
export function out(
  length: number,
  type: Float32ArrayConstructor | Int32ArrayConstructor | Uint32ArrayConstructor = Float32Array,
): Target {
  const initial = new type(length);
  new Uint32Array(initial.buffer).fill(UNWRITTEN);
  return { initial };
}

/** A buffer read and written in place. */
export function inout(numbers: Numbers): Target {
  return { initial: numbers };
}

/**
 * Calls `kernel` in both builds with the same arguments (typed arrays are input buffers, targets are output buffers, numbers are
 * themselves) and gives its targets, in argument order, and its return value.
 * @throws when the builds differ in a bit, a byte outside the targets changed, or an export is missing.
 */
export function run(kernel: string, ...args: Argument[]): { outputs: Numbers[]; value: number | undefined } {
  const simd = runIn("simd", kernel, ...args);
  const scalar = runIn("scalar", kernel, ...args);
  for (const [i, numbers] of simd.outputs.entries()) {
    expectSameBits(numbers, scalar.outputs[i], `${kernel}: output ${i}, SIMD against scalar`);
  }
  if (!Object.is(simd.value, scalar.value))
    throw new Error(`${kernel} returned ${simd.value} with SIMD, ${scalar.value} without`);
  return simd;
}

/** `run` for the common case: one target, of float32. */
export function runF32(kernel: string, ...args: Argument[]): Float32Array {
  return run(kernel, ...args).outputs[0] as Float32Array;
}

/** `run` in one build only. */
export function runIn(
  build: Build,
  kernel: string,
  ...args: Argument[]
): { outputs: Numbers[]; value: number | undefined } {
  const buffers = new Map<Numbers | Target, number>();
  let bytes = ZONE;
  for (const arg of args) {
    if (typeof arg === "number" || buffers.has(arg)) continue;
    buffers.set(arg, bytes);
    bytes = (bytes + initialOf(arg).byteLength + 15 + ZONE) & ~15;
  }
  const { memory, exports, heap } = instantiate(build, bytes + 64);
  if (!exports[kernel]) throw new Error(`kernels.${build}.wasm does not export ${kernel}`);
  new Uint32Array(memory.buffer, heap, bytes >>> 2).forEach((_, i, words) => {
    words[i] = guard(i);
  });
  for (const [key, offset] of buffers) viewAt(memory, heap + offset, initialOf(key)).set(initialOf(key));
  const before = new Uint8Array(memory.buffer.slice(0));

  const value = exports[kernel](
    ...args.map((arg) => (typeof arg === "number" ? arg : heap + (buffers.get(arg) as number))),
  );

  const after = new Uint8Array(memory.buffer);
  const outputs: Numbers[] = [];
  for (const [key, offset] of buffers) {
    if (ArrayBuffer.isView(key)) continue;
    outputs.push(viewAt(memory, heap + offset, key.initial).slice());
    before.set(after.subarray(heap + offset, heap + offset + key.initial.byteLength), heap + offset);
  }
  const wrong = Buffer.compare(before, after) === 0 ? -1 : after.findIndex((byte, i) => byte !== before[i]);
  if (wrong >= 0) throw new Error(`${kernel} (${build}) wrote outside its outputs, ${describe(wrong - heap, buffers)}`);
  return { outputs, value };
}

/** Throws at the first element whose bits differ; any NaN equals any NaN, and -0 differs from 0. */
export function expectSameBits(actual: Numbers, expected: Numbers, what = "result"): void {
  if (actual.length !== expected.length)
    throw new Error(`${what}: length ${actual.length}, expected ${expected.length}`);
  for (let i = 0; i < actual.length; i++) {
    if (!Object.is(actual[i], expected[i]))
      throw new Error(`${what}: element ${i} is ${show(actual[i])}, expected ${show(expected[i])}`);
  }
}

/**
 * Throws at the first element further than `relative * |expected| + absolute` from float64 `expected`; NaN and infinities must agree.
 */
export function expectClose(
  actual: Numbers,
  expected: ArrayLike<number>,
  relative: number,
  absolute = 0,
  what = "result",
): void {
  if (actual.length !== expected.length)
    throw new Error(`${what}: length ${actual.length}, expected ${expected.length}`);
  for (let i = 0; i < actual.length; i++) {
    const close = Math.abs(actual[i] - expected[i]) <= relative * Math.abs(expected[i]) + absolute;
    const same = Object.is(actual[i], expected[i]) || actual[i] === expected[i];
    if (!(same || (close && Number.isFinite(expected[i])))) {
      throw new Error(
        `${what}: element ${i} is ${actual[i]}, expected ${expected[i]} within ${relative} relative + ${absolute}`,
      );
    }
  }
}

/** Distance of `actual` from float64 `expected` in units in the last place of float32 at `expected`; 0 if both are NaN or infinite alike. */
export function ulps(actual: number, expected: number): number {
  const rounded = Math.fround(expected);
  if (Object.is(actual, rounded) || actual === rounded)
    return Number.isFinite(rounded) ? Math.abs(actual - expected) / ulp(expected) : 0;
  if (Number.isNaN(actual) || Number.isNaN(rounded)) return Number.POSITIVE_INFINITY;
  // One past the largest finite number counts as 2^128, so that overflow a little early or late has a finite error.
  const finite = (x: number) => (Number.isFinite(x) ? x : Math.sign(x) * 2 ** 128);
  return Math.abs(finite(actual) - finite(expected)) / ulp(Math.min(Math.abs(finite(expected)), MAX_F32));
}

function ulp(x: number): number {
  bits64[0] = Math.abs(x);
  const exponent = Number((word64[0] >> 52n) & 0x7ffn) - 1023;
  return 2 ** (Math.max(exponent, -126) - 23);
}

/** Seeded numbers from integer arithmetic only (xorshift32 with a final multiplication), so that every engine draws the same. */
export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = (seed * 2 + 1) >>> 0;
    for (let i = 0; i < 8; i++) this.u32();
  }
  u32(): number {
    let s = this.#state;
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    this.#state = s >>> 0;
    return Math.imul(s, 0x9e3779b1) >>> 0;
  }
  /** Uniform in [lo, hi), a multiple of 2^-24 of the range before rounding. */
  float(lo = -1, hi = 1): number {
    return lo + (this.u32() >>> 8) * 2 ** -24 * (hi - lo);
  }
  /** An integer in [lo, hi). */
  int(lo: number, hi: number): number {
    return lo + Math.floor((this.u32() >>> 8) * 2 ** -24 * (hi - lo));
  }
  f32(length: number, lo = -1, hi = 1): Float32Array {
    return Float32Array.from({ length }, () => this.float(lo, hi));
  }
  i32(length: number, lo: number, hi: number): Int32Array {
    return Int32Array.from({ length }, () => this.int(lo, hi));
  }
  /** `f32`, with one element in `every` replaced by a special value (NaN, infinities, zeros of both signs, subnormals, extremes). */
  wild(length: number, every = 5): Float32Array {
    return this.f32(length, -3, 3).map((x) => (this.int(0, every) === 0 ? SPECIALS[this.int(0, SPECIALS.length)] : x));
  }
}

export const MAX_F32 = 3.4028234663852886e38;
export const SPECIALS = Float32Array.of(
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  0,
  -0,
  1,
  -1,
  2 ** -149,
  -(2 ** -149),
  2 ** -126 - 2 ** -149,
  2 ** -126,
  -(2 ** -126),
  MAX_F32,
  -MAX_F32,
);

/** Lengths below, at and above every width a kernel works in: 4 lanes, 16 partial sums, unrolled blocks. */
export const SIZES = [0, 1, 2, 3, 4, 5, 7, 8, 9, 13, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 1000];

const UNWRITTEN = 0x7fc0beef; // a NaN
const ZONE = 128; // bytes of guard around each buffer
/**
 * What stands between buffers: floats in [1, 2), so that a sum or maximum that takes one in shows it, and another one at each
 * address, so that none can be overwritten with what was read past an input.
 */
const guard = (i: number) => 0x3f800000 | (Math.imul(i, 0x9e3779b1) >>> 9);
const bits64 = new Float64Array(1);
const word64 = new BigUint64Array(bits64.buffer);

function initialOf(buffer: Numbers | Target): Numbers {
  return ArrayBuffer.isView(buffer) ? buffer : buffer.initial;
}

function viewAt<T extends Numbers>(memory: WebAssembly.Memory, address: number, like: T): T {
  return new (like.constructor as new (b: ArrayBufferLike, o: number, n: number) => T)(
    memory.buffer,
    address,
    like.length,
  );
}

function show(x: number): string {
  return Object.is(x, -0) ? "-0" : String(x);
}

function describe(offset: number, buffers: Map<Numbers | Target, number>): string {
  const near = [...buffers].map(([key, start], i) => {
    const kind = ArrayBuffer.isView(key) ? "input" : "output";
    return { name: `${kind} buffer ${i}`, start, end: start + initialOf(key).byteLength };
  });
  for (const { name, start, end } of near) {
    if (offset >= start && offset < end) return `at byte ${offset - start} of ${name}`;
    if (offset >= start - ZONE && offset < start) return `${start - offset} bytes before ${name}`;
    if (offset >= end && offset < end + ZONE) return `${offset - end} bytes after ${name}`;
  }
  return `at heap offset ${offset}`;
}
