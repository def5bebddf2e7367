// Batch normalization. What a graph says is one op; what runs is its training rule (statistics of the batch, moving statistics updated;
// channels that are not last are moved there) or its inference rule (x * scale + shift, which depend on weights only and fold into the
// product before, where channels are last).
import { ShapeError } from "../errors.js";
import { integer, number, optional } from "../graph/attrs.js";
import { defineOp, type Gradients, type Trained } from "../graph/op.js";
import { apply, make, type Spec, type Value } from "../graph/value.js";
import { sameShape, show, sizeOf } from "../shape.js";
import { add, mul, sub } from "./arithmetic.js";
import { broadcastTo } from "./broadcast.js";
import { wantDType } from "./check.js";
import { scalar } from "./leaf.js";
import { reshape } from "./shape.js";
import { withAxesLast } from "./transpose.js";

interface BatchNormAttrs {
  /** Share of the old moving statistics in the new ones. */
  readonly momentum: number;
  /** Added to the variance. */
  readonly epsilon: number;
  /** Of the channels, not the batch; the last one where nothing is said. */
  readonly axis?: number;
}

const epsilon = number(0, 3e38);
const momentum = number(0, 1);

function checkNorm(op: string, [x, ...weights]: readonly Spec[], axis = x.shape.length - 1): void {
  wantDType(op, "float32", x, ...weights);
  if (x.shape.length < 2 || axis >= x.shape.length) {
    const expected = axis < 2 ? "an input [..., channels]" : `an input with an axis ${axis}`;
    throw new ShapeError({ op, expected, actual: show(x.shape.slice(1)) });
  }
  const channels = [x.shape[axis]];
  const other = weights.find(({ shape }) => !sameShape(shape, channels));
  if (other) throw new ShapeError({ op, expected: `weights of shape ${show(channels)}`, actual: show(other.shape) });
}

/** Rows and channels, as kernels count. */
const matrix = ({ shape }: Spec): [number, number] => [sizeOf(shape.slice(0, -1)), shape[shape.length - 1]];

function folded([x, gamma, beta, mean, variance]: readonly Value[], attrs: BatchNormAttrs): Value {
  const scale = apply(batchNormOps.batchNormScale, [gamma, variance], { epsilon: attrs.epsilon });
  const rank = x.shape.length;
  const { axis = rank - 1 } = attrs;
  const along = (weights: Value): Value => reshape(weights, [...weights.shape, ...Array(rank - 1 - axis).fill(1)]);
  return add(mul(x, along(scale)), along(sub(beta, mul(mean, scale))));
}

export const batchNormOps = {
  /** Inputs: x, gamma, beta, moving mean, moving variance. */
  batchNorm: defineOp<BatchNormAttrs>("batchNorm", {
    attrs: { momentum, epsilon, axis: optional(integer(1, 7)) },
    infer(inputs, { axis }) {
      checkNorm("batchNorm", inputs, axis);
      return { shape: inputs[0].shape, dtype: "float32" };
    },
    inference: (inputs, attrs) => folded(inputs, attrs),
    expand: (inputs, attrs) => folded(inputs, attrs),
    training([x, gamma, beta, mean, variance], attrs): Trained {
      let outputs: readonly Value[] = [];
      const value = withAxesLast(x, [attrs.axis ?? x.shape.length - 1], (last) => {
        outputs = make(batchNormOps.batchNormTrain, [last, gamma, beta], { epsilon: attrs.epsilon }).outputs;
        return outputs[0];
      });
      const moved = (old: Value, batch: Value): Value =>
        apply(batchNormOps.movingAverage, [old, batch], { momentum: attrs.momentum });
      return {
        value,
        updates: [
          [3, moved(mean, outputs[1])],
          [4, moved(variance, outputs[2])],
        ],
      };
    },
  }),

  /** y, mean and biased variance of the batch; gradients flow through y. Inputs: x, gamma, beta. */
  batchNormTrain: defineOp<{ epsilon: number }>("batchNormTrain", {
    internal: true,
    attrs: { epsilon },
    infer(inputs) {
      checkNorm("batchNorm", inputs);
      const [x, gamma] = inputs;
      return [x, gamma, gamma].map(({ shape }) => ({ shape, dtype: "float32" as const }));
    },
    grad: ({ inputs: [x, gamma], outputs: [, mean, variance] }, [dy], attrs): Gradients =>
      dy ? make(batchNormOps.batchNormGrad, [x, gamma, mean, variance, dy], { ...attrs }).outputs : [],
    lower: (emit, { inputs: [x, gamma, beta], outputs: [y, mean, variance] }, attrs) =>
      emit.call("f32_batch_norm", ...matrix(x), matrix(x)[1], x, gamma, beta, y, mean, variance, attrs.epsilon),
    flops: ({ outputs: [y] }) => 7 * sizeOf(y.shape),
  }),

  /** dx, dgamma and dbeta. Inputs: x, gamma, mean, variance, dy. */
  batchNormGrad: defineOp<{ epsilon: number }>("batchNormGrad", {
    internal: true,
    attrs: { epsilon },
    infer: ([x, gamma]) => [x, gamma, gamma].map(({ shape }) => ({ shape, dtype: "float32" as const })),
    lower: (emit, { inputs: [x, gamma, mean, variance, dy], outputs: [dx, dgamma, dbeta] }, attrs) =>
      emit.call(
        "f32_batch_norm_grad",
        ...matrix(x),
        matrix(x)[1],
        x,
        gamma,
        mean,
        variance,
        dy,
        dx,
        dgamma,
        dbeta,
        attrs.epsilon,
      ),
    flops: ({ outputs: [dx] }) => 9 * sizeOf(dx.shape),
    inPlace: 4,
  }),

  /** gamma / sqrt(variance + epsilon). */
  batchNormScale: defineOp<{ epsilon: number }>("batchNormScale", {
    internal: true,
    attrs: { epsilon },
    infer: ([gamma]) => ({ shape: gamma.shape, dtype: "float32" }),
    // d scale = dgamma r - gamma r^3 / 2 dvariance, where r = 1 / sqrt(variance + epsilon)
    grad({ inputs: [gamma, variance], outputs: [scale] }, [d], attrs): Gradients {
      const r = apply(batchNormOps.batchNormScale, [broadcastTo(scalar(1), gamma.shape), variance], { ...attrs });
      return [mul(d as Value, r), mul(mul(mul(d as Value, scale), mul(r, r)), -0.5)];
    },
    lower: (emit, { inputs: [gamma, variance], outputs: [scale] }, attrs) =>
      emit.call("f32_batch_norm_scale", sizeOf(gamma.shape), gamma, variance, scale, attrs.epsilon),
    flops: ({ outputs: [scale] }) => 3 * sizeOf(scale.shape),
  }),

  /** old * momentum + value * (1 - momentum). */
  movingAverage: defineOp<{ momentum: number }>("movingAverage", {
    internal: true,
    attrs: { momentum },
    infer: ([old]) => ({ shape: old.shape, dtype: "float32" }),
    lower: (emit, { inputs: [old, value], outputs: [y] }, attrs) =>
      emit.call("f32_moving_average", sizeOf(y.shape), old, value, y, attrs.momentum, 1 - attrs.momentum),
    flops: ({ outputs: [y] }) => 3 * sizeOf(y.shape),
  }),
};

/**
 * Batch normalization of the channels along one axis: with the moving statistics, or with the batch's while a model is trained, which then also
 * moves the moving ones (Keras 3: old * momentum + batch * (1 - momentum), the variance biased). The layer is `batchNormalization`.
 * @param x float32 [batch, ..., channels], or with the channels along `axis`
 * @param weights all [channels]; the moving ones are states
 */
export const batchNorm = (
  x: Value,
  weights: { gamma: Value; beta: Value; movingMean: Value; movingVariance: Value },
  { momentum, epsilon, axis = x.shape.length - 1 }: BatchNormAttrs,
): Value =>
  apply(batchNormOps.batchNorm, [x, weights.gamma, weights.beta, weights.movingMean, weights.movingVariance], {
    momentum,
    epsilon,
    ...(axis === x.shape.length - 1 ? {} : { axis }),
  });
