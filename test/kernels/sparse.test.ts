// Sparse products against the dense kernels: the same bits, in both builds, for random sizes, strides, dilations and shares of weights.
import { test } from "vitest";
import { expectSameBits, out, Random, run, runF32, runIn } from "./harness.js";

const packed = (words: number) => out(words, Uint32Array);
const INF = Number.POSITIVE_INFINITY;

test.each(Array.from({ length: 60 }, (_, i) => i))("random convolution %i", (seed) => {
  const random = new Random(seed + 1);
  const below = (n: number) => Math.floor(((random.f32(1)[0] + 1) / 2) * n) % n;
  const [batch, c, n] = [1 + below(3), 1 + below(9), 1 + below(37)];
  const [kh, kw, dh, dw] = [1 + below(3), 1 + below(3), 1 + below(2), 1 + below(2)];
  const [sh, sw] = seed % 3 === 0 ? [1 + below(2), 1 + below(3)] : [1, 1];
  const [oh, ow] = [1 + below(6), 1 + below(seed % 4 === 0 ? 70 : 9)];
  const [h, w] = [(oh - 1) * sh + (kh - 1) * dh + 1, (ow - 1) * sw + (kw - 1) * dw + 1];
  const [k, kept] = [kh * kw * c, [0, 0.1, 0.5, 1][seed % 4]];
  const [x, all, bias] = [random.f32(batch * h * w * c), random.f32(k * n), random.f32(n)];
  const mask = Uint8Array.from(random.f32(k * n), (r) => Number((r + 1) / 2 < kept));
  const weights = all.map((weight, i) => (mask[i] ? weight : 0));
  const size = run("gemm_packed_size", k, n).value as number;
  const sizes = [batch, h, w, c, oh, ow, kh, kw, sh, sw, dh, dw, n];
  const dense = runF32("f32_gemm_pack", k, n, n, 1, weights, out(size));
  const expected = runF32("f32_conv2d", ...sizes, x, dense, bias, out(batch * oh * ow * n), -0.5, INF);
  for (const block of [1, 4]) {
    const places = block === 4 ? 4 : 8;
    const groups = Math.ceil(n / (places * block));
    const column = (first: number) =>
      Array.from({ length: k }, (_, i) => mask.subarray(i * n + first, i * n + Math.min(n, first + block)).includes(1));
    const steps = Array.from({ length: groups }, (_, g) =>
      Math.max(...Array.from({ length: places }, (_, p) => column((g * places + p) * block).filter(Boolean).length)),
    );
    const words = groups + steps.reduce((a, b) => a + b, 0) * places * (1 + block);
    const made = run(
      "f32_sparse_pack_outputs",
      k,
      n,
      kw,
      c,
      dh * w * c,
      dw * c,
      1,
      block,
      mask,
      all,
      packed(words),
    ).outputs;
    const y = out(batch * oh * ow * n);
    const args = [batch, h, w, c, oh, ow, sh, sw, n, block];
    expectSameBits(
      runF32("f32_sparse_conv2d_outputs", ...args, x, made[0], bias, y, -0.5, INF),
      expected,
      `block ${block}`,
    );
  }
  if (sh * sw > 1) return;
  const first = Float32Array.from(x, (_, i) => {
    const [b, channel, pixel] = [Math.floor(i / (c * h * w)), Math.floor(i / (h * w)) % c, i % (h * w)];
    return x[(b * h * w + pixel) * c + channel];
  });
  const words = n + 2 * mask.filter(Boolean).length;
  const made = run("f32_sparse_pack_pixels", k, n, kw, c, dh * w, dw, h * w, mask, all, packed(words)).outputs;
  for (const build of ["simd", "scalar"] as const) {
    // Its scratch comes first, whose numbers are each build's own.
    const results = [first, made[0], bias, out(128), out(batch * oh * ow * n)];
    const { outputs } = runIn(build, "f32_sparse_conv2d_pixels", batch, c * h * w, w, oh, ow, n, ...results, -0.5, INF);
    expectSameBits(outputs[1], expected, `pixels, ${build}`);
  }
});
