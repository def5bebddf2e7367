// What is measured, op by op, described once as plain data: for Lanewise (kernels.mjs) in every runtime, and for its peers. Names and
// goals are those of the project's list of targets.
//   op, options     matmul { transposeA, transposeB } | conv2d, depthwise { strides, pad } | maxPool { size, strides } | softmax |
//                   transpose | relu, tanh, exp, sigmoid, add. `pad` is pixels on all four sides.
//   inputs          shapes of what changes from call to call: matrices [m, k], images [n, h, w, c]
//   weights         shapes of what does not: filters [kh, kw, c, n] (depthwise [kh, kw, c, 1]), right-hand matrices [k, n]
//   flops           by direct arithmetic, multiply and add counted as two; only where these are what takes the time
//   reads, writes   bytes that must at least be moved
//   goal            the largest ratio of our time to the better of TF.js and ONNX Runtime Web (`best`), to PyTorch's (`torch`), or to
//                   that of another row of ours (`row`, `times`)

const size = (shape) => shape.reduce((a, b) => a * b, 1);
const bytes = (...shapes) => 4 * shapes.reduce((sum, shape) => sum + size(shape), 0);

const row = (name, op, { inputs, weights = [], output, goal, ...rest }) => {
  const [reads, writes] = [bytes(...inputs, ...weights), bytes(output)];
  return { name, op, inputs, weights, output, goal, reads, writes, ...rest };
};

export function matmul(
  name,
  [m, n, k],
  { batch = [], constant = false, transposeA = false, transposeB = false, goal },
) {
  const a = [...batch, ...(transposeA ? [k, m] : [m, k])];
  const b = [...batch, ...(transposeB ? [n, k] : [k, n])];
  return row(name, "matmul", {
    inputs: constant ? [a] : [a, b],
    weights: constant ? [b] : [],
    output: [...batch, m, n],
    options: { transposeA, transposeB },
    flops: 2 * size(batch) * m * n * k,
    goal,
  });
}

/** A square filter on a square image of `side`; depthwise where `n` is missing. */
export function conv2d(name, { side, c, n, k, strides = 1, goal }) {
  const pad = (k - 1) / 2;
  const out = Math.floor((side + 2 * pad - k) / strides) + 1;
  const filter = n === undefined ? [k, k, c, 1] : [k, k, c, n];
  return row(name, n === undefined ? "depthwise" : "conv2d", {
    inputs: [[1, side, side, c]],
    weights: [filter],
    output: [1, out, out, n ?? c],
    options: { strides, pad },
    flops: 2 * out * out * size(filter),
    goal,
  });
}

function maxPool(name, { side, c, k, strides, goal }) {
  const out = Math.floor((side - k) / strides) + 1;
  const inputs = [[1, side, side, c]];
  return row(name, "maxPool", { inputs, output: [1, out, out, c], options: { size: k, strides }, goal });
}

const elementwise = (op, best, inputs = 1) =>
  row(`${op} 1M`, op, { inputs: Array(inputs).fill([2 ** 20]), output: [2 ** 20], goal: { best } });

const GOOD = { best: 0.8 };
const AS_PLAIN = { row: "gemm 256", times: 1.1 };
const WINOGRAD = { best: 0.3, torch: 1 };

/** The rows "Float32 kernels". */
export const rows = [
  ...[128, 256, 512].flatMap((n) => [
    matmul(`gemm ${n}`, [n, n, n], { goal: GOOD }),
    matmul(`gemm ${n}, constant b`, [n, n, n], { constant: true, goal: GOOD }),
  ]),
  matmul("gemm odd 97x113x131", [97, 113, 131], { goal: GOOD }),
  matmul("gemm transposed 256, dW", [256, 256, 256], { transposeA: true, goal: AS_PLAIN }),
  matmul("gemm transposed 256, dX", [256, 256, 256], { transposeB: true, goal: AS_PLAIN }),
  matmul("matrix-vector 1024", [1, 1024, 1024], { constant: true, goal: GOOD }),
  matmul("batched 8 x 64x64x64", [64, 64, 64], { batch: [8], goal: { best: 0.7 } }),
  conv2d("conv 3x3, 56x56 64>64", { side: 56, c: 64, n: 64, k: 3, goal: WINOGRAD }),
  conv2d("conv 3x3, 28x28 128>128", { side: 28, c: 128, n: 128, k: 3, goal: WINOGRAD }),
  conv2d("conv 3x3, 14x14 256>256", { side: 14, c: 256, n: 256, k: 3, goal: WINOGRAD }),
  conv2d("conv 3x3 stride 2, 56x56 64>128", { side: 56, c: 64, n: 128, k: 3, strides: 2, goal: GOOD }),
  conv2d("conv 3x3, 28x28 1>32", { side: 28, c: 1, n: 32, k: 3, goal: { best: 0.6 } }),
  conv2d("conv 3x3 stride 2, 224x224 3>32", { side: 224, c: 3, n: 32, k: 3, strides: 2, goal: GOOD }),
  conv2d("conv 1x1, 56x56 64>128", { side: 56, c: 64, n: 128, k: 1, goal: GOOD }),
  conv2d("conv 1x1, 14x14 384>64", { side: 14, c: 384, n: 64, k: 1, goal: GOOD }),
  conv2d("conv 5x5, 28x28 32>64", { side: 28, c: 32, n: 64, k: 5, goal: GOOD }),
  conv2d("depthwise 3x3, 112x112x32", { side: 112, c: 32, k: 3, goal: GOOD }),
  conv2d("depthwise 3x3 stride 2, 56x56x144", { side: 56, c: 144, k: 3, strides: 2, goal: GOOD }),
  conv2d("depthwise 5x5, 14x14x240", { side: 14, c: 240, k: 5, goal: GOOD }),
  maxPool("max pool 2x2, 112x112x64", { side: 112, c: 64, k: 2, strides: 2, goal: { best: 0.9 } }),
  maxPool("max pool 3x3 stride 2, 112x112x64", { side: 112, c: 64, k: 3, strides: 2, goal: { best: 0.9 } }),
  row("softmax 256x1000", "softmax", { inputs: [[256, 1000]], output: [256, 1000], goal: GOOD }),
  elementwise("tanh", 0.8),
  elementwise("exp", 0.8),
  elementwise("sigmoid", 0.8),
  elementwise("relu", 1),
  elementwise("add", 1, 2),
  row("transpose 1024x1024", "transpose", { inputs: [[1024, 1024]], output: [1024, 1024], goal: GOOD }),
];
