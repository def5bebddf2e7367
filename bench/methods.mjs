// `npm run bench:methods`: where src/ops chooses between ways to compute the same thing by shape, both ways over a grid of shapes,
// in alternation. The thresholds there are read from these tables.
//   --only TEXT  tables whose title holds TEXT     --json  JSON instead of tables
//   --save  also writes results/methods-node<major>.json     --rounds N  default 12
import { instantiate } from "lanewise/kernels";
import { allocator } from "./allocator.mjs";
import { machine, NODE, publish } from "./machine.mjs";
import { readOptions } from "./options.mjs";
import { digits, table } from "./table.mjs";

const SAMPLE = 1.5; // milliseconds
const NONE = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

const options = readOptions("bench:methods", 12);
const { kernels, memory } = await instantiate();
const random = allocator(memory, kernels.heapBase());

const LARGEST = 2 ** 20; // numbers of the largest operand in the grids below
const buffers = Object.fromEntries(
  ["a", "copy", "b", "packed", "mask", "sparse", "result"].map((name) => [name, random(LARGEST)]),
);

/** What is chosen, between which two ways, and for which shapes, whose numbers are `sizes`. Both give the same bits, but for Winograd. */
const choices = [
  {
    title: "a few rows times a matrix that changes: packed first, or as it is",
    sizes: ["m", "n", "k"],
    shapes: grid([1, 2, 3, 4, 8], [64, 384, 1024], [64, 384, 1024]),
    first({ m, n, k, a, b, packed, result }) {
      kernels.f32_gemm_pack(k, n, n, 1, b, packed);
      kernels.f32_gemm(m, n, k, a, packed, 0, result, ...NONE);
    },
    second: ({ m, n, k, a, b, result }) => kernels.f32_gemm_unpacked(m, n, k, a, b, 0, result, ...NONE),
  },
  {
    title: "a transposed matrix on the left: read down its columns, or written out first",
    sizes: ["m", "n", "k"],
    shapes: grid([100, 256, 512, 1600], [16, 32, 64, 128, 256], [32, 128, 512]),
    first: ({ m, n, k, a, packed, result }) => kernels.f32_gemm_tn(m, n, k, a, packed, result),
    second({ m, n, k, a, copy, packed, result }) {
      kernels.x32_strided_copy(1, 1, 1, m, k, 0, 0, 0, 1, m, 0, 0, 0, k, 1, 0, 0, a, copy);
      kernels.f32_gemm(m, n, k, copy, packed, 0, result, ...NONE);
    },
  },
  {
    title: "x of a filter gradient: as it is, or channels first",
    sizes: ["h = w", "c", "n", "kernel", "stride"],
    shapes: [
      ...[16, 32, 64].flatMap((c) => [1, 2].flatMap((stride) => [1, 3, 5].map((k) => [28, c, 64, k, stride]))),
      ...[32, 256].flatMap((n) => [1, 2].flatMap((stride) => [1, 3].map((k) => [28, 32, n, k, stride]))),
    ],
    first: (at) => filterGrad(at, [at.c, 1], at.a),
    second(at) {
      const pixels = at["h = w"] ** 2;
      kernels.x32_strided_copy(1, 1, 1, at.c, pixels, 0, 0, 0, 1, at.c, 0, 0, 0, pixels, 1, 0, 0, at.a, at.copy);
      filterGrad(at, [1, pixels], at.copy);
    },
  },
  {
    title: "a 3x3 convolution: implicit GEMM, or Winograd",
    sizes: ["h = w", "c", "n"],
    shapes: grid([5, 10, 16, 30], [4, 8, 16, 32, 128], [4, 8, 16, 32, 128]),
    first({ "h = w": side, c, n, a, packed, result }) {
      const out = side - 2;
      kernels.f32_conv2d(1, side, side, c, out, out, 3, 3, 1, 1, 1, 1, n, a, packed, 0, result, ...NONE);
    },
    second({ "h = w": side, c, n, a, packed, copy, result }) {
      const [out, all] = [side - 2, Math.ceil((side - 2) / 4) ** 2];
      const sizes = [side, side, c, out, out, 0, 0, n, 0, all, 16];
      kernels.f32_conv2d_3x3_winograd(...sizes, a, packed, 0, result, copy, ...NONE);
    },
  },
  {
    title: "the gradient of a 3x3 filter: implicit GEMM with x as it is, or Winograd",
    sizes: ["batch", "h = w", "c", "n"],
    shapes: [1, 8].flatMap((batch) =>
      grid([6, 16, 30], [8, 32, 128], [8, 32, 128]).map(([side, c, n]) => [batch, side, c, n]),
    ),
    first({ batch, "h = w": side, c, n, a, b, packed, result }) {
      const out = side - 2;
      kernels.f32_gemm_pack(batch * out * out, n, n, 1, b, packed);
      kernels.f32_conv2d_filter_grad(batch, side, side, c, out, out, 3, 3, 1, 1, 1, 1, n, a, packed, result);
    },
    second({ batch, "h = w": side, c, n, a, b, copy, result }) {
      const sizes = [batch, side, side, c, side - 2, side - 2, 0, 0, n, 0, n, 32];
      kernels.f32_conv2d_3x3_winograd_filter_grad(...sizes, a, b, result, copy);
    },
  },
  {
    title:
      "weights of which some are left out: dense, or sparse, across outputs in blocks of 1 or 4, or across pixels (0)",
    sizes: ["m", "n", "k", "% kept", "block"],
    shapes: [1, 8, 32].flatMap((m) =>
      grid([10, 20, 40], [0, 1, 4], [0, 1]).map(([kept, block, i]) => [
        m,
        ...[
          [64, 1600],
          [128, 128],
        ][i],
        kept,
        block,
      ]),
    ),
    prepare({ m, n, k, "% kept": kept, block, b, packed, mask, sparse }) {
      const keeps = new Uint8Array(memory.buffer, mask, k * n);
      const width = block || 1;
      // Knuth's multiplicative hash: as good as drawn
      for (let i = 0; i < k * n; i++) keeps[i] = ((Math.imul(i - (i % width), 2654435761) >>> 8) % 100 < kept) | 0;
      kernels.f32_gemm_pack(k, n, n, 1, b, packed);
      if (block === 0) kernels.f32_sparse_pack_pixels(k, n, 1, k, m, 1, m, mask, b, sparse);
      else kernels.f32_sparse_pack_outputs(k, n, 1, k, k, k, 1, block, mask, b, sparse);
    },
    first: ({ m, n, k, a, packed, result }) => kernels.f32_gemm(m, n, k, a, packed, 0, result, ...NONE),
    second({ m, n, k, block, a, copy, mask, sparse, result }) {
      if (block !== 0) {
        kernels.f32_sparse_conv2d_outputs(1, 1, m, k, 1, m, 1, 1, n, block, a, sparse, 0, result, ...NONE);
        return;
      }
      kernels.x32_strided_copy(1, 1, 1, k, m, 0, 0, 0, 1, k, 0, 0, 0, m, 1, 0, 0, a, copy);
      kernels.f32_sparse_conv2d_pixels(1, m * k, m, 1, m, n, copy, sparse, 0, mask, result, ...NONE);
    },
  },
];

function filterGrad({ "h = w": side, c: channels, n, kernel, stride, packed, result }, steps, x) {
  const out = Math.floor((side - kernel) / stride) + 1;
  const sizes = [1, side, side, channels, out, out, kernel, kernel, stride, stride, 1, 1, n, 1];
  kernels.f32_conv2d_filter_grad_grouped(...sizes, ...steps, x, packed, result);
}

const tables = choices
  .filter(({ title }) => title.includes(options.only))
  .map(({ title, sizes, shapes, prepare, first, second }) => ({
    title,
    sizes,
    rows: shapes.map((shape) => {
      const at = { ...buffers, ...Object.fromEntries(sizes.map((name, i) => [name, shape[i]])) };
      prepare?.(at);
      const [one, two] = fastest(
        () => first(at),
        () => second(at),
      );
      return { shape, first: one, second: two, ratio: two / one };
    }),
  }));

publish(`methods-${NODE}`, { ...machine(), tables }, tables.map(text).join("\n\n"), options);

function grid(ms, ns, ks) {
  return ks.flatMap((k) => ns.flatMap((n) => ms.map((m) => [m, n, k])));
}

/** The shortest mean time of a call, in milliseconds, over a sample a round of each function in turn. */
function fastest(...functions) {
  const calls = functions.map((run) => {
    const start = performance.now();
    let count = 0;
    while (performance.now() - start < 10 * SAMPLE || count < 3) {
      run();
      count++;
    }
    return Math.max(1, Math.round(count / 10));
  });
  const best = functions.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < options.rounds; round++)
    functions.forEach((run, i) => {
      const start = performance.now();
      for (let call = 0; call < calls[i]; call++) run();
      best[i] = Math.min(best[i], (performance.now() - start) / calls[i]);
    });
  return best;
}

function text({ title, sizes, rows }) {
  const cells = rows.map(({ shape, first, second, ratio }) => [
    shape.join(" x "),
    digits(first),
    digits(second),
    ratio.toFixed(2),
  ]);
  return `${title}\n${table([sizes.join(" x "), "first ms", "second ms", "second / first"], cells)}`;
}
