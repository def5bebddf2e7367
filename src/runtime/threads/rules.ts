// How kernel calls are divided: one rule for each kernel. A rule says which argument counts the units of a call and what an argument moves
// by from one unit to the next: `f32_relu(n, x, y)` has n units, and x and y move by 4 bytes. Arguments are numbered from 0; `a` are those of
// the call. split.ts cuts by these rules, and test/threads.test.ts runs every op so: a kernel whose arguments change fails there.

/** A kernel call that does part of another one. */
export interface Part {
  readonly kernel: string;
  readonly args: readonly number[];
  readonly scratch?: Scratch;
}

/** An argument that is the address of memory that only one thread at a time may use. */
export interface Scratch {
  readonly argument: number;
  readonly bytes: number;
}

export interface Range {
  /** The argument that counts the units, or is the end of them where there is a `from`. */
  readonly count: number;
  readonly from?: number;
  /** `[argument, what is added to it from one unit to the next]`. */
  readonly moves: readonly (readonly [argument: number, step: number])[];
  /** What a unit costs, about, in nanoseconds: decides whether dividing pays. */
  readonly cost: number;
  /** Parts are multiples of so many units, or their results would not be those of the whole; default 1. */
  readonly multiple?: number;
  /** The same where it only saves time. */
  readonly preferred?: number;
  /** Most parts for each thread; default 4. Fewer where parts repeat some work. */
  readonly perThread?: number;
  readonly scratch?: Scratch;
  /** How to divide a single unit, where there are few of them. */
  readonly inner?: Rule;
  /** Another kernel's call that does the same, and that this range is about. */
  readonly as?: Part;
}

export type Rule = (a: readonly number[]) => Range | undefined;

/** About what a multiplication and its addition take, and reading or writing four bytes. */
const MADD = 0.05;
const WORD = 0.1;

/** (n, pointers, ...): n elements, each pointer so many bytes further for each of them; 64 keep the parts' outputs in cache lines apart. */
const each =
  (cost: number, ...bytes: number[]): Rule =>
  (a) => ({
    count: 0,
    cost,
    preferred: 64,
    moves: bytes.map((step, i) => [i + 1, a[i + 1] === 0 ? 0 : step] as const), // a pointer of 0 stands for none
  });

/** (rows, n, ...): `moves` in elements of four bytes, given n. */
const rows =
  (cost: number, moves: (n: number) => [number, number][]): Rule =>
  (a) => ({ count: 0, cost: cost * a[1], moves: moves(a[1]).map(([argument, step]) => [argument, 4 * step] as const) });

/** (n, h, w, c, oh, ow, linear, ...): images of both sizes, each with a map of 6 numbers. */
const affine =
  ([input, output]: readonly [number, number]): Rule =>
  ([, h, w, c, oh, ow, linear]) => ({
    count: 0,
    cost: oh * ow * (linear === 1 ? 26 : 8),
    moves: [
      [input, 4 * h * w * c],
      [9, 24],
      [output, 4 * oh * ow * c],
    ],
  });

/** (outer, reduce, inner, x, y): one or more sums for each of `outer`. */
const outer =
  (cost: number, bytes = 4): Rule =>
  ([, reduce, inner]) => ({
    count: 0,
    cost: cost * reduce * inner,
    moves: [
      [3, bytes * reduce * inner],
      [4, bytes * inner],
    ],
  });

/**
 * (rows, n, step, ...): columns, each pointer of `moves` one further. Few parts, `width` columns each: of narrower ones memory brings what
 * lies beside them too (half of 64 columns take 0.5 to 0.6 of the time of all in batch normalization, half of 32 all of it).
 */
const columns =
  (cost: number, width: number, moves: readonly number[]): Rule =>
  ([rows]) => ({
    count: 1,
    cost: cost * rows,
    perThread: 1,
    preferred: width,
    moves: moves.map((argument) => [argument, 4] as const),
  });

const columnSums = columns(WORD, 64, [3, 4]);

/** Four loops over two arrays, the result contiguous: the outermost loop that is one. */
const broadcast =
  (cost: number): Rule =>
  (a) => {
    const loop = a.findIndex((extent, i) => extent > 1 || i === 3);
    const rest = a.slice(loop + 1, 4).reduce((x, y) => x * y, 1);
    const moves = [
      [12, 4 * a[4 + loop]],
      [13, 4 * a[8 + loop]],
      [14, 4 * rest],
    ] as const;
    return { count: loop, cost: cost * rest, preferred: loop === 3 ? 64 : 1, moves };
  };

/** Five loops with steps of their own: the first with enough turns for all threads, or the longest. */
const strided =
  (bytes: number): Rule =>
  (a) => {
    const extents = a.slice(0, 5);
    const long = extents.findIndex((extent) => extent >= 16);
    const loop = long >= 0 ? long : extents.indexOf(Math.max(...extents));
    const moves = [
      [17, bytes * a[5 + loop]],
      [18, bytes * a[10 + loop]],
    ] as const;
    const rest = extents.reduce((x, y) => x * y, 1) / extents[loop];
    return { count: loop, cost: 3 * WORD * rest, preferred: loop > 2 ? 16 : 1, moves };
  };

/** (batch, h, w, c, oh, ow, kh, kw, sh, sw, ...): images, each of them rows of its output. `groups` is an argument, or none. */
const convolution =
  (groups: number | undefined, x: number): Rule =>
  (a) => {
    const [, h, w, c, oh, ow, kh, kw, sh] = a;
    const n = a[12];
    const row = MADD * ow * n * kh * kw * (c / (groups === undefined ? 1 : a[groups]));
    const y = x + 3;
    return {
      count: 0,
      cost: oh * row,
      moves: [
        [x, 4 * h * w * c],
        [y, 4 * oh * ow * n],
      ],
      inner: () => ({
        count: 4,
        cost: row,
        moves: [
          [x, 4 * sh * w * c],
          [y, 4 * ow * n],
        ],
      }),
    };
  };

/** (batch, h, w, c, oh, ow, kh, kw, sh, sw, dh, dw, n, groups, pixel, channel, x, packed, df): rows of the filter, their taps, channels. */
const filterGradient: Rule = (a) => {
  const [batch, , w, c, oh, ow, , kw] = a;
  const [dh, dw, n, groups, pixel, channel] = a.slice(10, 16);
  const row = MADD * batch * oh * ow * n;
  const channels = c / groups;
  const ofChannels: Rule = () => ({
    count: 3,
    cost: row,
    preferred: 2,
    moves: [
      [16, 4 * channel],
      [18, 4 * n],
    ],
  });
  const ofTaps: Rule = () => ({
    count: 7,
    cost: channels * row,
    moves: [
      [16, 4 * dw * pixel],
      [18, 4 * channels * n],
    ],
    inner: groups === 1 ? ofChannels : undefined,
  });
  return {
    count: 6,
    cost: kw * channels * row,
    perThread: channels === 1 ? 1 : undefined,
    moves: [
      [16, 4 * dh * w * pixel],
      [18, 4 * kw * channels * n],
    ],
    inner: channels === 1 ? undefined : ofTaps, // a single row of results takes as long as two
  };
};

/**
 * (batch, h, w, c, oh, ow, kh, kw, sh, ...): images, at the arguments `images` and `results`. Where `top` is the argument of the padding
 * above and no sums go into the images, a single one is rows of its output: one row on is a window sh rows further down.
 */
const windows =
  (images: readonly number[], results: readonly number[], cost = WORD, top?: number): Rule =>
  (a) => {
    const [, h, w, c, oh, ow, kh, kw, sh] = a;
    const moves = [
      ...images.map((argument) => [argument, 4 * h * w * c] as const),
      ...results.map((argument) => [argument, 4 * oh * ow * c] as const),
    ];
    const row = cost * ow * c * kh * kw;
    const ofRows: Rule | undefined =
      top === undefined
        ? undefined
        : () => ({
            count: 4,
            cost: row,
            moves: [[top, -sh], ...results.map((argument) => [argument, 4 * ow * c] as const)],
          });
    return { count: 0, cost: oh * row, moves, inner: ofRows };
  };

/** (outer, n, inner, count, x, indices, y): matrices, or the rows that are picked from one. */
const gather =
  (bytes: number): Rule =>
  ([outer, n, inner, count]) =>
    outer > 1
      ? {
          count: 0,
          cost: WORD * count * inner,
          moves: [
            [4, bytes * n * inner],
            [6, bytes * count * inner],
          ],
        }
      : {
          count: 3,
          cost: WORD * inner,
          moves: [
            [5, 4],
            [6, bytes * inner],
          ],
        };

const rowsOfProducts: Rule = ([, , , n, k, , , , , row]) => ({
  count: 2,
  cost: MADD * n * k,
  preferred: 8,
  moves: [
    [11, 4 * row],
    [13, 4 * n],
  ],
});

const innerProducts: Rule = ([, , m, n, k, , a1, , p1]) => ({
  count: 1,
  cost: MADD * m * n * k,
  moves: [
    [11, 4 * a1],
    [12, 4 * p1],
    [13, 4 * m * n],
  ],
  inner: rowsOfProducts,
});

const products: Rule = ([, b1, m, n, k, a0, , p0]) => ({
  count: 0,
  cost: MADD * b1 * m * n * k,
  moves: [
    [11, 4 * a0],
    [12, 4 * p0],
    [13, 4 * b1 * m * n],
  ],
  inner: innerProducts,
});

/** Panels of 16 columns, [k][16] each. */
const panels =
  (count: number, k: number, colStride: number, b: number): Rule =>
  (a) => ({
    count,
    cost: 2 * WORD * a[k],
    multiple: 16,
    moves: [
      [b, 4 * a[colStride]],
      [b + 1, 4 * a[k]],
    ],
  });

/**
 * (batch, steps, units, ...): sequences. Which arguments have the gates' numbers of every step (`width` times the units), the units of every
 * step, the units once, a byte of every step; a pointer of 0 stands for none.
 */
const sequences =
  (width: number, all: readonly number[], steps: readonly number[], once: readonly number[], mask: number): Rule =>
  (a) => {
    const [, length, units] = a;
    const row = 4 * length * units;
    const move = (list: readonly number[], step: number) =>
      list.map((argument) => [argument, a[argument] === 0 ? 0 : step] as const);
    return {
      count: 0,
      cost: length * width * units * (MADD * units + COSTLY),
      preferred: 2,
      moves: [...move(all, width * row), ...move(steps, row), ...move(once, 4 * units), ...move([mask], length)],
    };
  };

/** Whole vectors of channels. */
const whole = (channels: number): number => Math.ceil(channels / 4) * 4;

const eights = (n: number): number => Math.ceil(n / 8) * 8;

const CHEAP = 2 * WORD;
const COSTLY = 10 * WORD;

export const rules: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(
    ["abs", "floor", "neg", "relu", "clamp", "copy", "sign", "leaky_relu"].map((op) => [
      `f32_${op}`,
      each(CHEAP, 4, 4),
    ]),
  ),
  ...Object.fromEntries(
    [
      "elu",
      "erf",
      "exp",
      "gelu",
      "gelu_tanh",
      "log",
      "log1p",
      "mish",
      "rsqrt",
      "sigmoid",
      "silu",
      "softplus",
      "sqrt",
      "tanh",
    ].map((op) => [`f32_${op}`, each(COSTLY, 4, 4)]),
  ),
  ...Object.fromEntries(["clamp", "leaky_relu", "relu"].map((op) => [`f32_${op}_grad`, each(CHEAP, 4, 4, 4)])),
  ...Object.fromEntries(
    ["elu", "gelu", "gelu_tanh", "mish", "sigmoid", "silu", "tanh"].map((op) => [
      `f32_${op}_grad`,
      each(COSTLY, 4, 4, 4),
    ]),
  ),
  f32_simple_rnn: sequences(1, [], [3, 8], [5, 7, 9], 6),
  f32_simple_rnn_grad: sequences(1, [], [3, 7, 8], [6, 9, 10], 5),
  f32_lstm: sequences(4, [3, 9], [10, 11], [5, 6, 8, 12], 7),
  f32_lstm_grad: sequences(4, [3, 11], [4, 9, 10], [6, 8, 12, 13, 14], 7),
  f32_gru: sequences(3, [3, 10], [11, 12], [7, 9, 13], 8),
  f32_gru_grad: sequences(3, [3, 12], [4, 5, 11, 13], [8, 10, 14, 15], 9),
  f32_ctc: ([, steps, classes, most, , , lengths]) => ({
    count: 0,
    cost: steps * (2 * most + 1) * 10 * COSTLY,
    moves: [
      [4, 4 * steps * classes],
      [5, 4 * most],
      [6, lengths && 4],
      [7, 4],
      [8, 4 * steps * classes],
      [9, 4 * (steps + 5) * (2 * most + 1)],
    ],
  }),
  f32_where: each(CHEAP, 1, 4, 4, 4),
  f32_equal: each(CHEAP, 4, 4, 1),
  f32_less: each(CHEAP, 4, 4, 1),
  f32_less_equal: each(CHEAP, 4, 4, 1),
  i32_equal: each(CHEAP, 4, 4, 4),
  u8_not: each(CHEAP, 1, 1),
  f32_to_i32: each(CHEAP, 4, 4),
  i32_to_f32: each(CHEAP, 4, 4),
  f32_to_i8: each(CHEAP, 4, 1),
  f32_to_u8: each(CHEAP, 4, 1),
  f32_to_bool: each(CHEAP, 4, 1),
  i32_to_x8: each(CHEAP, 4, 1),
  i32_to_bool: each(CHEAP, 4, 1),
  i8_to_f32: each(CHEAP, 1, 4),
  u8_to_f32: each(CHEAP, 1, 4),
  i8_to_i32: each(CHEAP, 1, 4),
  u8_to_i32: each(CHEAP, 1, 4),
  f32_sgd: each(CHEAP, 4, 4),
  f32_sgd_momentum: each(COSTLY, 4, 4, 4),
  f32_adam: each(COSTLY, 4, 4, 4, 4),
  f32_adamw: each(COSTLY, 4, 4, 4, 4),
  f32_rmsprop: each(COSTLY, 4, 4, 4, 4, 4),

  ...Object.fromEntries(
    ["add", "sub", "mul", "div", "maximum", "minimum"].map((op) => [`f32_${op}`, broadcast(CHEAP)]),
  ),
  f32_pow: broadcast(10 * COSTLY),
  x32_strided_copy: strided(4),
  x8_strided_copy: strided(1),

  f32_dropout: () => ({
    count: 0,
    cost: COSTLY,
    multiple: 16,
    preferred: 64,
    moves: [
      [2, 4],
      [3, 4],
      [6, 1],
    ],
  }),
  x32_gather: gather(4),
  x8_gather: gather(1),
  f32_scatter_add: ([, n, inner, count]) => ({
    count: 0,
    cost: CHEAP * count * inner,
    moves: [
      [4, 4 * count * inner],
      [6, 4 * n * inner],
    ],
  }),
  f32_affine: affine([8, 10]),
  f32_affine_grad: affine([10, 8]),
  f32_interpolate: ([, n, inner, m]) => ({
    count: 0,
    cost: CHEAP * m * inner,
    moves: [
      [4, 4 * n * inner],
      [5, 4 * m * inner],
    ],
  }),
  f32_interpolate_grad: ([, n, inner, m]) => ({
    count: 0,
    cost: CHEAP * m * inner,
    moves: [
      [4, 4 * m * inner],
      [5, 4 * n * inner],
    ],
  }),
  f32_cumsum: ([, n, inner]) => ({
    count: 0,
    cost: CHEAP * n * inner,
    moves: [
      [3, 4 * n * inner],
      [4, 4 * n * inner],
    ],
  }),

  // Blocks of 64 rows of a head, and groups of heads.
  f32_attention: ([, , t, s, , , d, e]) => ({
    count: 1,
    from: 0,
    cost: 1.5 * MADD * Math.min(t, 64) * s * (d + e),
    moves: [],
    scratch: { argument: 20, bytes: 256 * (d + eights(e) + 66) },
  }),
  f32_attention_grad: ([, , t, s, heads, groups, d, e]) => ({
    count: 1,
    from: 0,
    cost: (3 * MADD * t * s * (d + e) * heads) / groups,
    moves: [],
    scratch: { argument: 24, bytes: 256 * (d + e + 2 * eights(d) + eights(e) + 128) },
  }),
  f32_rotary: ([, t, heads, half]) => ({
    count: 0,
    cost: CHEAP * t * heads * half,
    moves: [
      [4, 8 * t * heads * half],
      [6, 8 * t * heads * half],
    ],
  }),
  f32_softmax: rows(COSTLY, (n) => [
    [2, n],
    [3, n],
  ]),
  f32_softmax_grad: rows(CHEAP, (n) => [
    [2, n],
    [3, n],
    [4, n],
  ]),
  f32_log_softmax: rows(COSTLY, (n) => [
    [2, n],
    [3, n],
  ]),
  f32_log_softmax_grad: rows(COSTLY, (n) => [
    [2, n],
    [3, n],
    [4, n],
  ]),
  f32_sparse_softmax_cross_entropy: rows(COSTLY, (n) => [
    [2, n],
    [3, 1],
    [4, 1],
  ]),
  f32_sparse_softmax_cross_entropy_grad: rows(COSTLY, (n) => [
    [2, n],
    [3, 1],
    [4, 1],
    [5, n],
  ]),
  f32_layer_norm: rows(CHEAP, (n) => [
    [2, n],
    [5, n],
    [6, 2],
  ]),
  i32_one_hot: rows(WORD, (n) => [
    [2, 1],
    [3, n],
  ]),

  ...Object.fromEntries(["mean", "max", "min", "prod", "argmax", "argmin"].map((op) => [`f32_${op}`, outer(WORD)])),
  // Sums down the columns of one matrix: columns.
  f32_sum: (a) => {
    const [count, reduce, inner, x, y] = a;
    if (count !== 1 || inner === 1) return outer(WORD)(a);
    const args = [reduce, inner, inner, x, y];
    return { ...(columnSums(args) as Range), as: { kernel: "f32_sum_columns", args } };
  },
  f32_batch_norm: columns(6 * WORD, 32, [3, 4, 5, 6, 7, 8]),
  f32_batch_norm_grad: columns(10 * WORD, 32, [3, 4, 5, 6, 7, 8, 9, 10]),
  u8_any: outer(WORD, 1),
  u8_all: outer(WORD, 1),

  f32_conv2d: convolution(undefined, 13),
  f32_conv2d_grouped: convolution(13, 14),
  f32_conv2d_filter_grad: (a) => {
    const args = [...a.slice(0, 13), 1, a[3], 1, ...a.slice(13)];
    return { ...(filterGradient(args) as Range), as: { kernel: "f32_conv2d_filter_grad_grouped", args } };
  },
  f32_conv2d_filter_grad_grouped: filterGradient,
  // Each part reads all of the filter again, for each of its blocks of tiles.
  f32_conv2d_3x3_winograd: ([, , c, , , , , n, , , block]) => ({
    count: 9,
    from: 8,
    perThread: 2,
    cost: MADD * (36 * c * n + 300 * (c + n)),
    preferred: 4,
    multiple: 2,
    moves: [],
    // conv2d_3x3_winograd_scratch(c, n, block) of assembly/winograd.ts
    scratch: { argument: 15, bytes: 4 * (144 + 36 * (whole(c) + block * (whole(c) + whole(n)) + 32)) },
  }),
  // Each part transforms all of x again.
  f32_conv2d_3x3_winograd_filter_grad: ([batch, , , c, oh, ow, , , n, , , block]) => ({
    count: 10,
    from: 9,
    perThread: 1,
    cost: MADD * batch * Math.ceil(oh / 4) * Math.ceil(ow / 4) * (36 * c + 300),
    multiple: 16,
    moves: [],
    // conv2d_3x3_winograd_filter_grad_scratch(c, n, block)
    scratch: {
      argument: 15,
      bytes:
        4 *
        (144 +
          Math.max(36 * whole(c), 16 * whole(n)) +
          36 * (block * whole(c) + block * Math.ceil(n / 8) * 8 + 16 + whole(c) * whole(n) + 32)),
    },
  }),
  // With zeros between the pixels of x (th > 1) a row on is not a whole number of its rows.
  f32_depthwise_conv2d: (a) => windows([16], [19], WORD, a[14] === 1 ? 12 : undefined)(a),
  f32_max_pool2d: windows([12], [13], WORD, 10),
  f32_max_pool2d_grad: windows([12, 14], [13], 2 * CHEAP),
  f32_avg_pool2d: windows([15], [16]),
  f32_avg_pool2d_grad: windows([16], [15]),
  f32_pad2d: ([, h, w, c, oh, ow]) => ({
    count: 0,
    cost: CHEAP * oh * ow * c,
    moves: [
      [10, 4 * h * w * c],
      [11, 4 * oh * ow * c],
    ],
  }),

  // A single row of c is contiguous, so that it can be divided by columns.
  f32_gemm: ([m, n, k, , , bias]) =>
    m === 1
      ? {
          count: 1,
          cost: MADD * k,
          multiple: 16,
          moves: [
            [4, 4 * k],
            [5, bias && 4],
            [6, 4],
          ],
        }
      : {
          count: 0,
          cost: MADD * n * k,
          preferred: 8,
          moves: [
            [3, 4 * k],
            [6, 4 * n],
          ],
        },
  f32_gemm_unpacked: ([, n, k]) => ({
    count: 0,
    cost: 2 * MADD * n * k,
    moves: [
      [3, 4 * k],
      [6, 4 * n],
    ],
  }),
  f32_gemm_batched: products,
  f32_gemm_tn: ([m, n, k, a, packed, c]) => {
    const args = [1, 1, m, n, k, 0, 0, 0, 0, 1, m, a, packed, c];
    return { ...(rowsOfProducts(args) as Range), as: { kernel: "f32_gemm_batched", args } };
  },
  f32_gemm_pack: panels(1, 0, 3, 4),
  f32_gemm_pack_batched: ([, stride, k, n, , colStride]) => ({
    count: 0,
    cost: 2 * WORD * k * n,
    moves: [
      [6, 4 * stride],
      [7, 4 * k * Math.ceil(n / 8) * 8],
    ],
    inner: () => ({
      count: 3,
      cost: 2 * WORD * k,
      multiple: 16,
      moves: [
        [6, 4 * colStride],
        [7, 4 * k],
      ],
    }),
  }),
};
