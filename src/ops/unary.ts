// Elementwise functions of one array. Each is a row of the table below: its kernel and its gradient.
import { number } from "../graph/attrs.js";
import { defineOp, type Gradients, type KernelName, type Op } from "../graph/op.js";
import { apply, type Value } from "../graph/value.js";
import { sizeOf } from "../shape.js";
import { add, div, mul } from "./arithmetic.js";
import { likeInput } from "./check.js";

type MapKernel = Extract<
  KernelName,
  `f32_${"abs" | "erf" | "exp" | "floor" | "gelu" | "gelu_tanh" | "log" | "log1p" | "mish" | "neg" | "rsqrt" | "sigmoid" | "sign" | "silu" | "softplus" | "sqrt" | "tanh"}`
>;
type GradKernel = Extract<KernelName, `f32_${"gelu" | "gelu_tanh" | "mish" | "sigmoid" | "silu" | "tanh"}_grad`>;
type Grad = (dy: Value, x: Value, y: Value) => Value | undefined;

const unary = (name: string, kernel: MapKernel, grad: Grad): Op =>
  defineOp(name, {
    infer: likeInput(name),
    grad: ({ inputs: [x], outputs: [y] }, [dy]): Gradients => [grad(dy as Value, x, y)],
    lower: (emit, { inputs: [x], outputs: [y] }) => emit.call(kernel, sizeOf(x.shape), x, y),
    flops: ({ outputs: [y] }) => sizeOf(y.shape),
    inPlace: 0,
  });

/** A gradient that is a kernel of its own, over x or y (the first input) and dy. */
const gradOp = (name: string, kernel: GradKernel): Op =>
  defineOp(name, {
    internal: true,
    infer: likeInput(name),
    lower: (emit, { inputs: [x, dy], outputs: [dx] }) => emit.call(kernel, sizeOf(x.shape), x, dy, dx),
    flops: ({ outputs: [dx] }) => sizeOf(dx.shape),
    inPlace: 1,
  });

const geluGrad = gradOp("geluGrad", "f32_gelu_grad");
const geluTanhGrad = gradOp("geluTanhGrad", "f32_gelu_tanh_grad");
const mishGrad = gradOp("mishGrad", "f32_mish_grad");
const sigmoidGrad = gradOp("sigmoidGrad", "f32_sigmoid_grad");
const siluGrad = gradOp("siluGrad", "f32_silu_grad");
const tanhGrad = gradOp("tanhGrad", "f32_tanh_grad");

const TWO_OVER_SQRT_PI = 1.1283791670955126;

export const unaryOps = {
  abs: unary("abs", "f32_abs", (dy, x) => mul(dy, sign(x))),
  // d erf(x) = 2 / sqrt(pi) exp(-x^2) dx
  erf: unary("erf", "f32_erf", (dy, x) => mul(dy, mul(exp(neg(mul(x, x))), TWO_OVER_SQRT_PI))),
  exp: unary("exp", "f32_exp", (dy, _x, y) => mul(dy, y)),
  floor: unary("floor", "f32_floor", () => undefined),
  gelu: unary("gelu", "f32_gelu", (dy, x) => apply(geluGrad, [x, dy])),
  geluTanh: unary("geluTanh", "f32_gelu_tanh", (dy, x) => apply(geluTanhGrad, [x, dy])),
  log: unary("log", "f32_log", (dy, x) => div(dy, x)),
  // d log(1 + x) = dx / (1 + x)
  log1p: unary("log1p", "f32_log1p", (dy, x) => div(dy, add(x, 1))),
  mish: unary("mish", "f32_mish", (dy, x) => apply(mishGrad, [x, dy])),
  neg: unary("neg", "f32_neg", (dy) => neg(dy)),
  // d x^(-1/2) = -1/2 x^(-3/2) dx
  rsqrt: unary("rsqrt", "f32_rsqrt", (dy, _x, y) => mul(dy, mul(mul(y, mul(y, y)), -0.5))),
  sigmoid: unary("sigmoid", "f32_sigmoid", (dy, _x, y) => apply(sigmoidGrad, [y, dy])),
  sign: unary("sign", "f32_sign", () => undefined),
  silu: unary("silu", "f32_silu", (dy, x) => apply(siluGrad, [x, dy])),
  softplus: unary("softplus", "f32_softplus", (dy, x) => mul(dy, sigmoid(x))),
  sqrt: unary("sqrt", "f32_sqrt", (dy, _x, y) => div(mul(dy, 0.5), y)),
  tanh: unary("tanh", "f32_tanh", (dy, _x, y) => apply(tanhGrad, [y, dy])),
};

interface Slope {
  readonly alpha: number;
}

/** A pair of ops with a parameter alpha: what is below 0 is multiplied by it in some way. */
const sloped = (name: string, kernel: "f32_elu" | "f32_leaky_relu", of: "x" | "y"): { op: Op; grad: Op } => {
  const attrs = { alpha: number() };
  const grad = defineOp<Slope>(`${name}Grad`, {
    internal: true,
    attrs,
    infer: likeInput(`${name}Grad`),
    lower: (emit, { inputs: [x, dy], outputs: [dx] }, { alpha }) =>
      emit.call(`${kernel}_grad`, sizeOf(x.shape), x, dy, dx, alpha),
    inPlace: 1,
  });
  const op = defineOp<Slope>(name, {
    attrs,
    infer: likeInput(name),
    grad: ({ inputs: [x], outputs: [y] }, [dy], { alpha }): Gradients => [
      apply(grad, [of === "x" ? x : y, dy as Value], { alpha }),
    ],
    lower: (emit, { inputs: [x], outputs: [y] }, { alpha }) => emit.call(kernel, sizeOf(x.shape), x, y, alpha),
    flops: ({ outputs: [y] }) => sizeOf(y.shape),
    inPlace: 0,
  });
  return { op, grad };
};

const eluPair = sloped("elu", "f32_elu", "y");
const leakyReluPair = sloped("leakyRelu", "f32_leaky_relu", "x");
export const slopedOps = { elu: eluPair.op, leakyRelu: leakyReluPair.op };

/**
 * |x|; its gradient at 0 is 0.
 * @example
 * abs(input([3])).shape; // [1, 3]
 */
export const abs = (x: Value): Value => apply(unaryOps.abs, [x]);

/**
 * The error function, within 3 ulp.
 * @example
 * erf(input([3])).shape; // [1, 3]
 */
export const erf = (x: Value): Value => apply(unaryOps.erf, [x]);

/**
 * e^x, within 1.04 ulp.
 * @example
 * exp(input([3])).shape; // [1, 3]
 */
export const exp = (x: Value): Value => apply(unaryOps.exp, [x]);

/**
 * The largest integer that is not above x; no gradient flows.
 * @example
 * floor(input([3])).shape; // [1, 3]
 */
export const floor = (x: Value): Value => apply(unaryOps.floor, [x]);

/**
 * Natural logarithm, within 1 ulp; -Infinity at 0, NaN below.
 * @example
 * log(input([3])).shape; // [1, 3]
 */
export const log = (x: Value): Value => apply(unaryOps.log, [x]);

/**
 * log(1 + x), accurate for small x, within 4 ulp.
 * @example
 * log1p(input([3])).shape; // [1, 3]
 */
export const log1p = (x: Value): Value => apply(unaryOps.log1p, [x]);

/**
 * -x.
 * @example
 * neg(input([3])).shape; // [1, 3]
 */
export const neg = (x: Value): Value => apply(unaryOps.neg, [x]);

/**
 * 1 / sqrt(x), as two correctly rounded steps.
 * @example
 * rsqrt(input([3])).shape; // [1, 3]
 */
export const rsqrt = (x: Value): Value => apply(unaryOps.rsqrt, [x]);

/**
 * -1, 0 or 1; NaN stays. No gradient flows.
 * @example
 * sign(input([3])).shape; // [1, 3]
 */
export const sign = (x: Value): Value => apply(unaryOps.sign, [x]);

/**
 * Square root, correctly rounded; NaN below 0.
 * @example
 * sqrt(input([3])).shape; // [1, 3]
 */
export const sqrt = (x: Value): Value => apply(unaryOps.sqrt, [x]);

/**
 * x^2.
 * @example
 * square(input([3])).shape; // [1, 3]
 */
export const square = (x: Value): Value => mul(x, x);

/**
 * Hyperbolic tangent, within 3 ulp.
 * @example
 * tanh(input([3])).shape; // [1, 3]
 */
export const tanh = (x: Value): Value => apply(unaryOps.tanh, [x]);

/**
 * 1 / (1 + e^-x), within 4 ulp.
 * @example
 * sigmoid(input([3])).shape; // [1, 3]
 */
export const sigmoid = (x: Value): Value => apply(unaryOps.sigmoid, [x]);

/**
 * log(1 + e^x), without overflow.
 * @example
 * softplus(input([3])).shape; // [1, 3]
 */
export const softplus = (x: Value): Value => apply(unaryOps.softplus, [x]);

/**
 * x sigmoid(x), also known as swish.
 * @example
 * silu(input([3])).shape; // [1, 3]
 */
export const silu = (x: Value): Value => apply(unaryOps.silu, [x]);

/**
 * x tanh(softplus(x)). Misra, "Mish", 2019.
 * @example
 * mish(input([3])).shape; // [1, 3]
 */
export const mish = (x: Value): Value => apply(unaryOps.mish, [x]);

/**
 * x Phi(x), Phi the normal distribution function. Hendrycks and Gimpel, "Gaussian error linear units", 2016.
 * @param options.approximate use the tanh approximation; default false
 * @example
 * gelu(input([3]), { approximate: true }).shape; // [1, 3]
 */
export const gelu = (x: Value, { approximate = false }: { approximate?: boolean } = {}): Value =>
  apply(approximate ? unaryOps.geluTanh : unaryOps.gelu, [x]);

/**
 * x where x > 0, else alpha (e^x - 1). Clevert, Unterthiner and Hochreiter 2016.
 * @param options.alpha default 1
 * @example
 * elu(input([3])).shape; // [1, 3]
 */
export const elu = (x: Value, { alpha = 1 }: { alpha?: number } = {}): Value => apply(slopedOps.elu, [x], { alpha });

/**
 * x where x > 0, else negativeSlope x.
 * @param options.negativeSlope default 0.2, as in Keras' function
 * @example
 * leakyRelu(input([3]), { negativeSlope: 0.1 }).shape; // [1, 3]
 */
export const leakyRelu = (x: Value, { negativeSlope = 0.2 }: { negativeSlope?: number } = {}): Value =>
  apply(slopedOps.leakyRelu, [x], { alpha: negativeSlope });
