// Where the time of a training step goes: every kernel call of it, timed from outside.
import { readFileSync } from "node:fs";
import { summary } from "./measure.mjs";
import { cnn } from "./model.mjs";
import { trainingStep } from "./models.mjs";

const WARMUP = 20;
const RUNS = 60;
const SMALL = 0.005;

/** What the products do, padding included: floating-point operations from the kernel's own sizes. */
const convolution = ({ batch, oh, ow, kh, kw, c, n }) => 2 * batch * oh * ow * kh * kw * c * n;
const product = ({ m, n, k }) => 2 * m * n * k;
const FLOPS = {
  f32_conv2d: convolution,
  f32_conv2d_filter_grad: convolution,
  f32_conv2d_filter_grad_grouped: (sizes) => convolution(sizes) / sizes.groups,
  f32_gemm: product,
  f32_gemm_tn: product,
  f32_gemm_unpacked: product,
};

/**
 * The kernel calls of the CNN's training step, in order: `{ kernel, sizes, ms, share, gflops }`; `share` of the time of all. Those
 * that take less than SMALL of it are one row at the end.
 */
export async function profileStep(batch) {
  const model = await cnn();
  const calls = watchKernels(model);
  const step = trainingStep(model, batch);
  const runs = [];
  for (let i = 0; i < WARMUP + RUNS; i++) {
    calls.length = 0;
    step();
    if (i >= WARMUP) runs.push([...calls]);
  }
  const signatures = readSignatures();
  const rows = runs[0].map(({ kernel, args }, i) => {
    const sizes = Object.fromEntries(
      signatures[kernel].flatMap(([name, type], k) => (type === "u32" ? [[name, args[k]]] : [])),
    );
    const times = runs.map((run) => run[i].ms);
    const ms = summary(times).min; // where a neighbour interrupts it, it interrupts the same call of every step
    const flops = FLOPS[kernel]?.(sizes);
    return { kernel, sizes, ms, gflops: flops && flops / ms / 1e6 };
  });
  const total = rows.reduce((sum, { ms }) => sum + ms, 0);
  const large = rows.filter(({ ms }) => ms >= SMALL * total);
  const rest = total - large.reduce((sum, { ms }) => sum + ms, 0);
  const others = { kernel: `${rows.length - large.length} smaller calls`, sizes: {}, ms: rest };
  return [...large, others].map((row) => ({ ...row, share: row.ms / total }));
}

/** Puts timed kernels in the place of a model's own, before a program binds to them; returns the list they write to. */
function watchKernels(model) {
  const calls = [];
  const timed =
    (kernel, run) =>
    (...args) => {
      const start = performance.now();
      const result = run(...args);
      calls.push({ kernel, args, ms: performance.now() - start });
      return result;
    };
  const find = model.store.kernel.bind(model.store);
  model.store.kernel = (kernel) => timed(kernel, find(kernel));
  return calls;
}

/** Names and wasm types of every kernel's parameters, as the build wrote them down. */
function readSignatures() {
  const source = readFileSync(new URL("../src/runtime/kernels.generated.ts", import.meta.url), "utf8");
  return Object.fromEntries(
    [...source.matchAll(/\/\*\* \((.*)\) -> \w+ \*\/\s+(\w+)\(/g)].map(([, parameters, kernel]) => [
      kernel,
      parameters.split(", ").map((parameter) => parameter.split(": ")),
    ]),
  );
}
