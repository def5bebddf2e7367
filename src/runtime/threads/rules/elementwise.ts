// Element by element: functions of one array and of two, casts, optimizers, random numbers.
import { CHEAP, COSTLY, each, type Range, type Rule, type Rules } from "./range.js";

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

export const elementwise: Rules = {
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
  f32_fake_quantize: (a) => ({
    ...(each(CHEAP, 4)(a) as Range),
    moves: [
      [1, 4],
      [4, 4],
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
};
