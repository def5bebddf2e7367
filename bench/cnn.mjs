// The Keras CNN that everything is tried on: its sizes, weights and data. Numbers only, so that peers can read it too; the
// Lanewise model of it is in model.mjs.

const CONV1 = 26 * 26 * 32 * (3 * 3 * 1);
const CONV2 = 11 * 11 * 64 * (3 * 3 * 32);
const DENSE = 1600 * 64 + 64 * 10;

/** Floating-point operations per sample by direct arithmetic, multiply and add counted as two, as products alone. */
export const flops = {
  forward: 2 * (CONV1 + CONV2 + DENSE),
  /** Each product has two gradients, each as costly, but nobody asks for the gradient to the images. */
  step: 2 * (3 * (CONV1 + CONV2 + DENSE) - CONV1),
};

/** Shapes of all weights: kernels HWIO and [in, out]. */
const SHAPES = {
  "conv2d/kernel": [3, 3, 1, 32],
  "conv2d/bias": [32],
  "conv2d_1/kernel": [3, 3, 32, 64],
  "conv2d_1/bias": [64],
  "dense/kernel": [1600, 64],
  "dense/bias": [64],
  "dense_1/kernel": [64, 10],
  "dense_1/bias": [10],
};

export const PARAMETERS = Object.values(SHAPES).reduce((sum, shape) => sum + size(shape), 0); // 121,930

function size(shape) {
  return shape.reduce((a, b) => a * b, 1);
}

/** Numbers in [-1, 1), the same for the same seed: a linear congruential generator (Numerical Recipes). */
export function noise(count, seed = 1) {
  let state = seed >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** Weights by name as `{ data, shape, dtype }`, of a size that keeps activations near 1 and predictions undecided. */
export function weights() {
  const entries = Object.entries(SHAPES).map(([name, shape], i) => {
    const scale = shape.length === 1 ? 0.1 : Math.sqrt(6 / size(shape.slice(0, -1)));
    return [name, { data: noise(size(shape), i + 1).map((x) => x * scale), shape, dtype: "float32" }];
  });
  return Object.fromEntries(entries);
}

/** Images [batch, 28, 28, 1] with numbers in [0, 1). */
export const images = (batch) => noise(batch * 28 * 28, 99).map((x) => (x + 1) / 2);

/** Labels 0 to 9 in turn. */
export const labels = (batch) => Int32Array.from({ length: batch }, (_, i) => i % 10);
