// Kernels of 16-bit activations against naive integers, exactly: random shapes and scales, and the extremes of the ranges.
import { describe, expect, test } from "vitest";
import { fixed } from "../../src/ops/int16/fixed.js";
import { lineTable, sigmoidTable, tableFactor } from "../../src/ops/int16/function.js";
import * as oracle from "../oracle/int16.js";
import { seen, type Windows } from "../oracle/quantized.js";
import { expectSameBits, Random, run, runIn, SIZES } from "./harness.js";

const words = (length: number) => ({ initial: new Int16Array(length).fill(-9999) });
const bytes = (length: number) => ({ initial: new Int8Array(length).fill(99) });
const longs = (length: number) => ({ initial: new Int32Array(length).fill(0x7fc0beef) });
const { fround } = Math;

/** Numbers of which every third is an extreme or 0. */
const int16 = (random: Random, length: number): Int16Array =>
  Int16Array.from({ length }, () =>
    random.int(0, 3) === 0 ? [-32768, 32767, 0][random.int(0, 3)] : random.int(-32768, 32768),
  );

const weights = (random: Random, length: number): Int8Array =>
  Int8Array.from({ length }, () => (random.int(0, 4) === 0 ? [-128, 127][random.int(0, 2)] : random.int(-128, 128)));

const ROUNDINGS = ["up", "away", "fixed"] as const;
type Scales = readonly [input: number, output: number];

/** Scales for which results fill the range, and some for which they leave it far behind. */
const scalesOf = (random: Random, n: number, terms: number, [input, output]: Scales): Float32Array => {
  const fit = output / input / (100 * Math.sqrt(terms));
  return random.f32(n, 0.5, 2).map((v) => v * fit * (random.int(0, 8) === 0 ? 50 : 1));
};

interface Problem extends Windows {
  readonly batch: number;
  readonly h: number;
  readonly w: number;
  readonly c: number;
  readonly n: number;
  readonly groups: number;
}

function problem(random: Random): Problem {
  const [kh, kw] = [random.int(1, 4), random.int(1, 5)];
  const groups = random.int(0, 4) === 0 ? random.int(2, 4) : 1;
  const [sh, sw, dh, dw] = [random.int(1, 3), random.int(1, 3), random.int(1, 3), random.int(1, 3)];
  const [oh, ow] = [random.int(1, 6), random.int(1, 8)];
  const h = (oh - 1) * sh + (kh - 1) * dh + 1 + random.int(0, 3);
  const w = (ow - 1) * sw + (kw - 1) * dw + 1 + random.int(0, 3);
  const [c, n] = [groups * random.int(1, 12), groups * random.int(1, 20)];
  return { batch: random.int(1, 3), h, w, c, n, groups, kh, kw, sh, sw, dh, dw, top: 0, left: 0, oh, ow };
}

/** A bias of one word for each output, of two, or none; and what it is. */
function biases(random: Random, n: number): { array: Int32Array | 0; count: number; values: bigint[] } {
  const kind = random.int(0, 3);
  const values = Array.from({ length: n }, () => {
    if (kind === 0) return 0n;
    return kind === 1 ? BigInt(random.int(-(2 ** 31), 2 ** 31)) : BigInt(random.int(-(2 ** 35), 2 ** 35));
  });
  if (kind === 0) return { array: 0, count: 1, values };
  if (kind === 1) return { array: Int32Array.from(values, Number), count: 1, values };
  const both = [...values.map((v) => BigInt.asIntN(32, v)), ...values.map((v) => v >> 32n)];
  return { array: Int32Array.from(both, Number), count: 2, values };
}

function convolve(random: Random, p: Problem, x?: Int16Array, f?: Int8Array): void {
  const { batch, h, w, c, n, groups, kh, kw, sh, sw, dh, dw, oh, ow } = p;
  const [cg, ng] = [c / groups, n / groups];
  const low = random.int(0, 2) === 0 ? -32768 : 0;
  const high = random.int(0, 2) === 0 ? 32767 : random.int(low, 32768);
  x ??= int16(random, batch * h * w * c);
  f ??= weights(random, kh * kw * cg * n);
  const bias = biases(random, n);
  const [input, output] = [fround(random.float(0.0001, 0.01)), fround(random.float(0.0001, 0.01))];
  const scale = scalesOf(random, n, kh * kw * cg, [input, output]);
  const whole = groups === 1 && (dw === 1 || kw === 1);
  const [runs, length] = whole ? [kh, kw * cg] : [kh * kw, cg];
  const size = groups * Math.ceil(ng / 8) * (32 + runs * Math.ceil(length / 2) * 8);
  const block = 4 * random.int(1, 4);
  const mode = random.int(0, 3);
  const packed = run("i16_gemm_pack", runs, length, n, groups, mode, input, output, f, bias.count, bias.array, scale, longs(size)).outputs[0]; // biome-ignore format: as the kernel has them
  // Workspace differs between builds, as no element of it is a result.
  const call = (build: "simd" | "scalar") =>
    runIn(build, "i16_conv2d", batch, h, w, c, oh, ow, kh, kw, sh, sw, dh, dw, n, groups, block, mode, low, high,
      x, packed, bytes(4 * (block + kh * kw) + 336), words(batch * oh * ow * n)).outputs[1]; // biome-ignore format: as the kernel has them
  const got = call("simd");
  expectSameBits(call("scalar"), got, "scalar against SIMD");
  const [image, weight] = [x, f];
  for (let b = 0, at = 0; b < batch; b++)
    for (let i = 0; i < oh; i++)
      for (let j = 0; j < ow; j++)
        for (let k = 0; k < n; k++, at++) {
          const first = Math.floor(k / ng) * cg;
          let sum = 0;
          for (let t = 0; t < cg; t++)
            for (const { tap, at: from } of seen([h, w, c], p, [b, i, j], first + t))
              sum += from === undefined ? Number.NaN : image[from] * weight[(tap * cg + t) * n + k];
          const total = BigInt(sum) + bias.values[k];
          const expected = oracle.rounded(ROUNDINGS[mode], total, [input, scale[k], output], low, high);
          if (got[at] !== expected)
            throw new Error(
              `${JSON.stringify(p)} ${ROUNDINGS[mode]}: [${b},${i},${j},${k}] is ${got[at]}, expected ${expected}: sum ${total}, scales ${input}, ${scale[k]}, ${output}`,
            );
        }
}

const square = { batch: 1, groups: 1, kh: 1, kw: 1, sh: 1, sw: 1, dh: 1, dw: 1, top: 0, left: 0, h: 1, oh: 1 };

describe("i16_conv2d", () => {
  test("is exact for 200 random windows", () => {
    for (let seed = 0; seed < 200; seed++) convolve(new Random(seed), problem(new Random(1000 + seed)));
  });

  test.each([1, 2, 3, 4, 5, 8, 9])("is exact for %i rows of every number of columns and terms near a panel", (m) => {
    for (const n of [1, 2, 7, 8, 9, 15, 17])
      for (const c of [1, 2, 3, 8, 33]) convolve(new Random(n * c), { ...square, w: m, ow: m, c, n });
  });

  test("is exact for sums of more pairs than 32 bits hold, at every number near them", () => {
    for (const c of [508, 509, 510, 511, 512, 1019, 1020, 1021, 1022, 2200])
      convolve(new Random(c), { ...square, w: 5, ow: 5, c, n: 3 });
    convolve(new Random(7), { ...square, h: 3, kh: 3, w: 6, kw: 2, ow: 5, c: 150, n: 3 });
  });

  test("is exact where all products are largest", () => {
    for (const [x, f] of [[-32768, -128], [-32768, 127], [32767, 127], [32767, -128]]) // biome-ignore format: pairs
      convolve(
        new Random(3),
        { ...square, w: 5, ow: 5, c: 1300, n: 9 },
        new Int16Array(6500).fill(x),
        new Int8Array(11700).fill(f),
      );
  });

  test("is exact for the largest sums there may be, and biases", () => {
    const [x, f] = [new Int16Array(32768).fill(-32768), new Int8Array(32768).fill(-128)];
    const bias = Int32Array.of(0, 16); // 2^36
    const sum = 2n ** 37n + 2n ** 36n;
    for (const [i, scale] of [2 ** -8, 1.2345e-6, 3e-7, 2 ** -31].map(fround).entries()) {
      const packed = run(
        "i16_gemm_pack",
        1,
        32768,
        1,
        1,
        0,
        1,
        1,
        f,
        2,
        bias,
        Float32Array.of(scale),
        longs(32 + 8 * 16384),
      );
      const sizes = [1, 1, 1, 32768, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 16, 0, -32768, 32767];
      for (const build of ["simd", "scalar"] as const) {
        const [, y] = runIn(build, "i16_conv2d", ...sizes, x, packed.outputs[0], bytes(420), words(1)).outputs;
        expect(y[0], `scale ${i}`).toBe(oracle.rounded("up", sum, [1, scale, 1]));
      }
    }
  });
});

test("i16_depthwise_conv2d is exact for 150 random windows, and for large ones", () => {
  for (let seed = 0; seed < 153; seed++) {
    const random = new Random(seed);
    const large = seed >= 150;
    const p = large
      ? { ...square, c: 9, n: 9, kh: 23, kw: 24 + (seed % 3), h: 24, w: 30, oh: 2, ow: 3 }
      : problem(random);
    const { batch, h, w, c, kh, kw, sh, sw, dh, dw, oh, ow } = p;
    const low = random.int(-32768, 0);
    const x = large ? new Int16Array(batch * h * w * c).fill(-32768) : int16(random, batch * h * w * c);
    const f = large ? new Int8Array(kh * kw * c).fill(-128) : weights(random, kh * kw * c);
    const bias = biases(random, c);
    const [input, output] = [fround(random.float(0.0001, 0.01)), fround(random.float(0.0001, 0.01))];
    const scale = scalesOf(random, c, kh * kw, [input, output]);
    const mode = random.int(0, 3);
    const size = Math.ceil(c / 8) * (32 + Math.ceil((kh * kw) / 2) * 8);
    const packed = run("i16_gemm_pack", 1, kh * kw, c, 1, mode, input, output, f, bias.count, bias.array, scale, longs(size)).outputs[0]; // biome-ignore format: as the kernel has them
    const sizes = [batch, h, w, c, oh, ow, kh, kw, sh, sw, dh, dw, mode, low, 32767];
    const call = (build: "simd" | "scalar") =>
      runIn(build, "i16_depthwise_conv2d", ...sizes, x, packed, bytes(4 * kh * kw + 148), words(batch * oh * ow * c))
        .outputs[1];
    const y = call("simd");
    expectSameBits(call("scalar"), y, "scalar against SIMD");
    for (let b = 0, at = 0; b < batch; b++)
      for (let i = 0; i < oh; i++)
        for (let j = 0; j < ow; j++)
          for (let k = 0; k < c; k++, at++) {
            let sum = 0;
            for (const { tap, at: from } of seen([h, w, c], p, [b, i, j], k))
              sum += from === undefined ? Number.NaN : x[from] * f[tap * c + k];
            const total = BigInt(sum) + bias.values[k];
            expect(y[at], `seed ${seed} [${b},${i},${j},${k}]`).toBe(
              oracle.rounded(ROUNDINGS[mode], total, [input, scale[k], output], low),
            );
          }
  }
});

/** Factors of all sizes, some of them just beside powers of two. */
const factors = [
  0,
  2 ** -33,
  2 ** -32,
  1.7e-9,
  1e-5,
  0.003,
  0.5 - 2 ** -40,
  0.5,
  0.75,
  1 - 2 ** -40,
  1,
  1.5,
  100.3,
  40000,
];
const fixedArgs = (real: number) => {
  const { multiplier, left, right } = fixed(real, "test");
  return [multiplier, left, right] as const;
};

test("fixed is what TensorFlow Lite makes of a factor", () => {
  for (const real of factors) {
    const { multiplier, shift } = oracle.fixedOf(real);
    const [left, right] = [Math.max(Number(shift), 0), Math.max(-Number(shift), 0)];
    expect(fixed(real, "test"), String(real)).toEqual({ multiplier: Number(multiplier), left, right });
  }
  expect(() => fixed(2 ** 30, "test")).toThrow("2^30");
});

describe("element by element", () => {
  test("i16_add adds and subtracts, with limits, for scales of all kinds", () => {
    const random = new Random(1);
    for (const n of SIZES) {
      const [sa, sb, sy] = [0, 1, 2].map(() => fround(random.float(0.0001, 0.02)));
      const [a, b] = [int16(random, n), int16(random, n)];
      const twice = 2 * Math.max(sa, sb);
      const [fa, fb, f] = [sa / twice, sb / twice, twice / (2 ** 15 * sy)].map(fixedArgs);
      const [low, high] = [random.int(-32768, 0), random.int(0, 32768)];
      for (const sign of [1, -1] as const) {
        const args = [fa[0], fa[2], fb[0], fb[2], f[0], f[2], sign === 1 ? 0 : -1, low, high];
        const [y] = run("i16_add", n, a, b, words(n), ...args).outputs;
        y.forEach((v, i) => {
          expect(v).toBe(oracle.clamp16(oracle.added(a[i], b[i], [sa, sb, sy], sign), low, high));
        });
      }
    }
  });

  test("i16_add_pot shifts, ties away from zero, and saturates", () => {
    const random = new Random(2);
    for (const [ra, rb] of [[0, 0], [0, 1], [3, 0], [0, 15]]) // biome-ignore format: pairs
      for (const sign of [0, -1]) {
        const [a, b] = [int16(random, 333), int16(random, 333)];
        const [y] = run("i16_add_pot", 333, a, b, words(333), ra, rb, sign, -30000, 32767).outputs;
        y.forEach((v, i) => {
          const [p, q] = [oracle.shiftAway(BigInt(a[i]), BigInt(ra)), oracle.shiftAway(BigInt(b[i]), BigInt(rb))];
          expect(v).toBe(oracle.clamp16(sign === 0 ? p + q : p - q, -30000));
        });
      }
  });

  test.each(factors)("i16_mul, i16_leaky_relu and the conversions by %d", (real) => {
    const random = new Random(3);
    for (const n of [0, 1, 4, 7, 8, 11, 37]) {
      const [a, b] = [int16(random, n), int16(random, n)];
      const by = fixedArgs(real);
      const [low, high] = [random.int(-32768, 0), random.int(0, 32768)];
      const expectEach = (y: ArrayLike<number>, of: (i: number) => number) =>
        expect([...Array.from(y)]).toEqual(Array.from({ length: n }, (_, i) => of(i)));
      const big = (x: number) => oracle.scaled(BigInt(x), real);
      expectEach(run("i16_mul", n, a, b, words(n), ...by, low, high).outputs[0], (i) =>
        oracle.clamp16(big(a[i] * b[i]), low, high),
      );
      const other = fixedArgs(0.3);
      expectEach(run("i16_leaky_relu", n, a, words(n), ...by, ...other, low, high).outputs[0], (i) =>
        oracle.clamp16(a[i] >= 0 ? big(a[i]) : oracle.scaled(BigInt(a[i]), 0.3), low, high),
      );
      expectEach(run("i16_requantize", n, a, words(n), ...by, low, high).outputs[0], (i) =>
        oracle.clamp16(big(a[i]), low, high),
      );
      expectEach(run("i16_to_i8_requantized", n, a, bytes(n), ...by, -7, -100, 120).outputs[0], (i) =>
        oracle.clamp16(big(a[i]) - 7n, -100, 120),
      );
      expectEach(run("i16_to_i32_requantized", n, a, longs(n), ...by).outputs[0], (i) => Number(big(a[i])));
      const whole = random.i32(n, -(2 ** 31), 2 ** 31);
      expectEach(run("i32_to_i16_requantized", n, whole, words(n), ...by, low, high).outputs[0], (i) =>
        oracle.clamp16(big(whole[i]), low, high),
      );
      const small = Int8Array.from(a, (v) => v >> 8);
      expectEach(run("i8_to_i16_requantized", n, small, words(n), 5, ...by, low, high).outputs[0], (i) =>
        oracle.clamp16(big(small[i] - 5), low, high),
      );
    }
  });

  test("i16_maximum and i16_minimum", () => {
    const random = new Random(4);
    for (const n of SIZES) {
      const [a, b] = [int16(random, n), int16(random, n)];
      expect(run("i16_maximum", n, a, b, words(n)).outputs[0]).toEqual(a.map((v, i) => Math.max(v, b[i])));
      expect(run("i16_minimum", n, a, b, words(n)).outputs[0]).toEqual(a.map((v, i) => Math.min(v, b[i])));
    }
  });

  test("f32_to_i16_quantized rounds ties away from zero, clamps, and takes NaN for 0; and back", () => {
    const random = new Random(5);
    for (const n of SIZES) {
      const x = random.wild(n, 4).map((v, i) => (i % 3 === 0 ? random.int(-70000, 70000) / 2 : v * 5000));
      const scale = fround([1, 2, 0.5, 0.37][random.int(0, 4)]);
      const [y] = run("f32_to_i16_quantized", n, x, words(n), scale, -30000, 32767).outputs;
      y.forEach((v, i) => {
        const real = Number.isNaN(x[i]) ? 0 : Math.min(Math.max(fround(x[i] / scale), -1e6), 1e6);
        expect(v).toBe(Math.min(Math.max(oracle.nearestAway(real), -30000), 32767) + 0);
      });
      const [back] = run("i16_to_f32_dequantized", n, y, { initial: new Float32Array(n) }, scale).outputs;
      expect(back).toEqual(Float32Array.from(y, (v) => v * scale));
    }
  });
});

describe("pooling", () => {
  test.each(["i16_avg_pool2d", "i16_max_pool2d"])("%s is exact for 100 random windows", (kernel) => {
    for (let seed = 0; seed < 100; seed++) {
      const random = new Random(seed);
      const { batch, c, kh, kw, sh, sw, oh, ow } = problem(random);
      const [top, left] = [random.int(0, kh), random.int(0, kw)];
      const h = Math.max((oh - 1) * sh + 1 - top, 1) + random.int(0, kh);
      const w = Math.max((ow - 1) * sw + 1 - left, 1) + random.int(0, kw);
      const [low, high] = [random.int(-32768, 0), random.int(0, 32768)];
      const x = int16(random, batch * h * w * c);
      const sizes = [batch, h, w, c, oh, ow, kh, kw, sh, sw, top, left, low, high];
      const [y] = run(kernel, ...sizes, x, words(batch * oh * ow * c)).outputs;
      for (let b = 0, at = 0; b < batch; b++)
        for (let i = 0; i < oh; i++)
          for (let j = 0; j < ow; j++)
            for (let k = 0; k < c; k++, at++) {
              const inside: number[] = [];
              for (let v = i * sh - top; v < i * sh - top + kh; v++)
                for (let u = j * sw - left; u < j * sw - left + kw; u++)
                  if (v >= 0 && v < h && u >= 0 && u < w) inside.push(x[((b * h + v) * w + u) * c + k]);
              const mean = oracle.nearestAway(inside.reduce((sum, v) => sum + v, 0) / inside.length);
              const value = kernel === "i16_avg_pool2d" ? mean : Math.max(...inside);
              expect(y[at], `seed ${seed}`).toBe(Math.min(Math.max(value, low), high) + 0);
            }
    }
  });

  test("the sum of the largest window fits", () => {
    for (const value of [-32768, 32767]) {
      const x = new Int16Array(65535).fill(value);
      const sizes = [1, 1, 65535, 1, 1, 1, 1, 65535, 1, 1, 0, 0, -32768, 32767];
      expect([...run("i16_avg_pool2d", ...sizes, x, words(1)).outputs[0]]).toEqual([value]);
      const [y] = run("i16_mean", 1, 65535, 1, 2 ** 30, 0, 16, -32768, 32767, x, words(1)).outputs;
      expect(y[0]).toBe(oracle.clamp16(oracle.scaled(BigInt(65535 * value), 2 ** -17)));
    }
  });

  test("i16_mean adds and scales", () => {
    const random = new Random(9);
    for (const [outer, n, inner] of [[1, 1, 1], [2, 5, 3], [3, 49, 1], [1, 7, 17]]) // biome-ignore format: shapes
      for (const real of [0.02, 1.7]) {
        const x = int16(random, outer * n * inner);
        const [y] = run(
          "i16_mean",
          outer,
          n,
          inner,
          ...fixedArgs(real),
          -30000,
          32767,
          x,
          words(outer * inner),
        ).outputs;
        y.forEach((value, at) => {
          const [o, k] = [Math.floor(at / inner), at % inner];
          const sum = Array.from({ length: n }, (_, t) => x[(o * n + t) * inner + k]).reduce((s, v) => s + v, 0);
          expect(value).toBe(oracle.clamp16(oracle.scaled(BigInt(sum), real), -30000));
        });
      }
  });
});

describe("functions by tables", () => {
  const all = Int16Array.from({ length: 65536 }, (_, i) => i - 32768);

  test("the table of sigmoid is that of TensorFlow Lite", () => {
    const table = [...new Uint16Array(sigmoidTable().buffer)];
    expect([0, 1, 4, 18, 36, 64, 128, 254, 255].map((i) => table[i])).toEqual([
      32768, 33451, 35493, 44511, 53581, 61279, 65221, 65534, 65535,
    ]);
    expect([table.reduce((sum, v) => sum + v), table.reduce((sum, v, i) => sum + v * (i + 1), 0)]).toEqual([
      15670629, 2123733574,
    ]);
  });

  test("factors to the table's scale: 3 for powers of two that it takes as they are, else 15 bits, rounded down", () => {
    expect(tableFactor("sigmoid", 2 ** -12)).toEqual({ multiplier: 3, shift: 0 });
    expect(tableFactor("sigmoid", 2 ** -11)).toEqual({ multiplier: 24576, shift: 12 });
    expect(tableFactor("tanh", 2 ** -11)).toEqual({ multiplier: 6, shift: 0 });
    expect(tableFactor("tanh", 0.0031)).toEqual({ multiplier: 19503, shift: 9 });
    expect(tableFactor("tanh", 20)).toEqual({ multiplier: 245760, shift: 0 });
  });

  test.each([1 / 4096, 0.0031, 0.00002, 0.3])("sigmoid and tanh of all numbers at scale %d", (scale) => {
    const { multiplier, shift } = tableFactor("tanh", scale);
    const table = sigmoidTable();
    const entries = new Uint16Array(table.buffer);
    /** The line between entries, exactly. */
    const line = (at: number, bits: number): number => {
      const [i, t] = [Math.floor(Math.abs(at) / 2 ** bits), Math.abs(at) % 2 ** bits];
      return i >= 255 ? entries[255] : entries[i] + ((entries[i + 1] - entries[i]) * t) / 2 ** bits;
    };
    const [sigmoid] = run("i16_sigmoid", 65536, all, table, words(65536), multiplier, shift).outputs;
    const [tanh] = run("i16_tanh", 65536, all, table, words(65536), multiplier, shift).outputs;
    let worst = 0;
    all.forEach((x, i) => {
      const at = Math.floor((x * multiplier) / 2 ** shift + (shift > 0 ? 0.5 : 0));
      const s = line(at, 9);
      // What lies at or beyond the last entry is the largest there is.
      const up = Math.abs(at) >= 255 * 512 ? 32767 : Math.floor(s / 2 + 0.5);
      const down = Math.abs(at) >= 255 * 512 ? 1 : Math.ceil(32768 - s / 2 - 0.5);
      expect(sigmoid[i]).toBe(at >= 0 ? up : down);
      const t = line(at, 8) - 32768;
      expect(tanh[i]).toBe(at >= 0 ? Math.floor(t + 0.5) : Math.ceil(-t - 0.5) + 0);
      const v = x * scale;
      worst = Math.max(
        worst,
        Math.abs(sigmoid[i] - 32768 / (1 + Math.exp(-v))),
        Math.abs(tanh[i] - 32768 * Math.tanh(v)),
      );
    });
    expect(worst).toBeLessThan(4);
  });

  test("i16_softmax is near the true one, and what the reference has", () => {
    const random = new Random(11);
    const tables = [lineTable(Math.exp, 10 / 65535, 32767), lineTable((v) => 1 / (1 + v), 1 / 65535, -32768)];
    const [exponentials, inverses] = tables;
    const find = (x: number, table: Int16Array): number => {
      const i = 256 + Math.floor(x / 128);
      return table[i] + Math.floor(((table[i + 1] - table[i]) * (((x % 128) + 128) % 128) + 64) / 128);
    };
    const bound = (x: number) => Math.min(Math.max(x, -32768), 32767);
    for (const [rows, n, scale] of [
      [1, 1, 0.001],
      [3, 10, 0.0002],
      [2, 100, 0.003],
      [5, 7, 0.00003],
    ]) {
      // biome-ignore format: shapes
      const x = int16(random, rows * n);
      const factor = scale / (10 / 65535);
      const [y] = run("i16_softmax", rows, n, x, exponentials, inverses, words(rows * n), ...fixedArgs(factor)).outputs;
      for (let r = 0; r < rows; r++) {
        const row = [...x.subarray(r * n, r * n + n)];
        const largest = Math.max(...row);
        const e = row.map((v) => find(bound(Number(oracle.scaled(BigInt(v - largest), factor)) + 32767), exponentials));
        const sum = e.reduce((a, b) => a + b, 0);
        const bits = Math.floor(Math.log2(sum));
        const place = Math.floor((sum * 2 ** (30 - bits) + 8192) / 16384) - 98304;
        const inverse = find(bound(place), inverses);
        const total = row.reduce((s, v) => s + Math.exp((v - largest) * scale), 0);
        row.forEach((v, k) => {
          const expected = Math.floor((e[k] * inverse) / 2 ** bits + 0.5);
          expect(y[r * n + k]).toBe(Math.min(Math.max(expected, 0), 32767));
          expect(Math.abs(y[r * n + k] - (32768 * Math.exp((v - largest) * scale)) / total)).toBeLessThan(12);
        });
      }
    }
  });
});
