// Rows for single kernels through lanewise/kernels, on the sizes of the CNN and on those of targets that stand for others.
import { instantiate } from "lanewise/kernels";
import { noise, PARAMETERS } from "./cnn.mjs";

const NONE = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]; // no clamp
const BATCH = 32;

/** Rows to measure: `flops` or `bytes` say what a call does, by direct arithmetic and without padding. */
export async function kernelRows() {
  const { kernels, memory } = await instantiate();
  const random = allocator(memory, kernels.heapBase());
  return [
    ...gemm(kernels, random, 128, 128, 128),
    ...gemm(kernels, random, 256, 256, 256),
    ...gemm(kernels, random, 512, 512, 512),
    ...gemm(kernels, random, 97, 113, 131),
    ...conv2d(kernels, random, "conv2d 28x28 1>32", { h: 28, w: 28, c: 1, n: 32 }),
    ...conv2d(kernels, random, "conv2d 13x13 32>64", { h: 13, w: 13, c: 32, n: 64 }),
    ...maxPool2d(kernels, random, "max pool 26x26x32, batch 32", [BATCH, 26, 26, 32]),
    ...maxPool2d(kernels, random, "max pool 112x112x64", [1, 112, 112, 64]),
    ...elementwise(kernels, random),
  ].map((row) => ({ section: "kernel", ...row }));
}

/** Gives addresses of fresh random numbers, 64 bytes of room after each. */
export function allocator(memory, start) {
  let next = start;
  return (count, scale = 1) => {
    const address = (next + 63) & ~63;
    next = address + 4 * count + 64;
    const missing = Math.ceil((next - memory.buffer.byteLength) / 65536);
    if (missing > 0) memory.grow(missing);
    new Float32Array(memory.buffer, address, count).set(noise(count).map((x) => scale * x));
    return address;
  };
}

const both = (first, second) => () => {
  first();
  second();
};

function gemm(kernels, random, m, n, k) {
  const [a, b, c, at] = [random(m * k), random(k * n), random(m * n), random(k * m)];
  const packed = random(kernels.gemm_packed_size(k, n));
  const pack = () => kernels.f32_gemm_pack(k, n, n, 1, b, packed);
  const product = () => kernels.f32_gemm(m, n, k, a, packed, 0, c, ...NONE);
  const transposed = () => kernels.f32_gemm_tn(m, n, k, at, packed, c);
  const size = `${m}x${n}x${k}`;
  const flops = 2 * m * n * k;
  return [
    { name: `gemm ${size}, b packed before`, flops, run: product },
    { name: `gemm ${size}`, flops, run: both(pack, product) },
    { name: `gemm ${size}, a transposed`, flops, run: both(pack, transposed) },
  ];
}

/** 3x3 without padding: forward and both gradients, as src/ops/conv2d.ts makes them, with all packing a training step does. */
function conv2d(kernels, random, name, { h, w, c, n }) {
  const [kh, kw] = [3, 3];
  const [oh, ow] = [h - kh + 1, w - kw + 1];
  const [hh, ww] = [oh + 2 * (kh - 1), ow + 2 * (kw - 1)]; // dy with zeros around it
  const one = [1, 1, 1, 1]; // strides, dilations
  const outputs = BATCH * oh * ow;
  const [x, f, bias, dy] = [random(BATCH * h * w * c), random(kh * kw * c * n), random(n), random(outputs * n)];
  const [y, dx, df, turned] = [random(outputs * n), random(BATCH * h * w * c), random(9 * c * n), random(9 * c * n)];
  const spread = random(BATCH * hh * ww * n);
  const packed = random(kernels.gemm_packed_size(kh * kw * c, n));
  const packedTurned = random(kernels.gemm_packed_size(kh * kw * n, c));
  const packedDy = random(kernels.gemm_packed_size(outputs, n));
  const flops = 2 * outputs * n * kh * kw * c;
  const forward = () => {
    kernels.f32_gemm_pack(kh * kw * c, n, n, 1, f, packed);
    kernels.f32_conv2d(BATCH, h, w, c, oh, ow, kh, kw, ...one, n, x, packed, bias, y, 0, NONE[1]);
  };
  const inputGrad = () => {
    kernels.f32_pad2d(BATCH, oh, ow, n, hh, ww, kh - 1, kw - 1, 1, 1, dy, spread);
    kernels.f32_conv2d_flip(kh, kw, c, n, 1, f, turned);
    kernels.f32_gemm_pack(kh * kw * n, c, c, 1, turned, packedTurned);
    kernels.f32_conv2d(BATCH, hh, ww, n, h, w, kh, kw, ...one, c, spread, packedTurned, 0, dx, ...NONE);
  };
  const filterGrad = () => {
    kernels.f32_gemm_pack(outputs, n, n, 1, dy, packedDy);
    kernels.f32_conv2d_filter_grad(BATCH, h, w, c, oh, ow, kh, kw, ...one, n, x, packedDy, df);
  };
  return [
    { name: `${name}, batch ${BATCH}`, flops, run: forward },
    { name: `${name}, input gradient`, flops, run: inputGrad },
    { name: `${name}, filter gradient`, flops, run: filterGrad },
  ];
}

/** Windows of 2x2. */
function maxPool2d(kernels, random, name, [batch, h, w, c]) {
  const [count, windows] = [batch * h * w * c, (batch * h * w * c) / 4];
  const [x, dx, y, dy] = [random(count), random(count), random(windows), random(windows)];
  const sizes = [batch, h, w, c, h / 2, w / 2, 2, 2, 2, 2, 0, 0];
  return [
    { name, bytes: 4 * (count + windows), run: () => kernels.f32_max_pool2d(...sizes, x, y) },
    {
      name: `${name}, gradient`,
      bytes: 4 * (2 * count + windows),
      run: () => kernels.f32_max_pool2d_grad(...sizes, x, dy, dx),
    },
  ];
}

function elementwise(kernels, random) {
  const [n, rows, classes] = [2 ** 20, 256, 1000];
  const [x, y] = [random(n), random(n)];
  const [w, g, m, v, rate] = [1, 1, 1e-3, 0, 1e-3].map((scale) => random(PARAMETERS, scale));
  return [
    { name: "relu 1M", bytes: 8 * n, run: () => kernels.f32_relu(n, x, y) },
    { name: "softmax 256x1000", bytes: 8 * rows * classes, run: () => kernels.f32_softmax(rows, classes, x, y) },
    {
      name: `adam ${PARAMETERS}`,
      bytes: 28 * PARAMETERS, // reads w, g, m, v; writes w, m, v
      run: () => kernels.f32_adam(PARAMETERS, w, g, m, v, rate, 0.9, 0.999, 1e-7),
    },
  ];
}
