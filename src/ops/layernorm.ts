// Layer normalization over trailing axes.
import { ShapeError } from "../errors.js";
import { number } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { make, type Spec, type Value } from "../graph/value.js";
import { sameShape, show, sizeOf } from "../shape.js";
import { wantDType, wantElements } from "./check.js";

interface LayerNormAttrs {
  /** Added to the variance. */
  readonly epsilon: number;
}

const epsilon = number(0, 3e38);

/** Rows and elements of a row, as kernels count. */
function matrix(x: Spec, gamma: Spec): [number, number] {
  const lead = x.shape.slice(0, x.shape.length - gamma.shape.length);
  return [sizeOf(lead), sizeOf(gamma.shape)];
}

const float = (shape: readonly number[]): Spec => ({ shape, dtype: "float32" });

export const layerNormOps = {
  /** y, and mean and 1 / sqrt(variance + epsilon) of each row. Inputs: x, gamma, beta; gamma's axes are the ones normalised over. */
  layerNorm: defineOp<LayerNormAttrs>("layerNorm", {
    attrs: { epsilon },
    infer([x, gamma, beta]) {
      const op = "layerNorm";
      wantDType(op, "float32", x, gamma, beta);
      const rank = gamma.shape.length;
      const fits = rank >= 1 && sameShape(x.shape.slice(-rank), gamma.shape);
      if (!fits || !sameShape(gamma.shape, beta.shape)) {
        const actual = `${show(gamma.shape)} and ${show(beta.shape)}`;
        throw new ShapeError({ op, expected: `gamma and beta of the last axes of ${show(x.shape)}`, actual });
      }
      gamma.shape.forEach((_, i) => {
        wantElements(op, x, x.shape.length - rank + i);
      });
      return [float(x.shape), float([...x.shape.slice(0, -rank), 2])];
    },
    grad: ({ inputs: [x, gamma], outputs: [, stats] }, [dy]): Gradients =>
      dy ? make(layerNormOps.layerNormGrad, [x, gamma, stats, dy]).outputs : [],
    lower: (emit, { inputs: [x, gamma, beta], outputs: [y, stats] }, attrs) =>
      emit.call("f32_layer_norm", ...matrix(x, gamma), x, gamma, beta, y, stats, attrs.epsilon),
    flops: ({ outputs: [y] }) => 9 * sizeOf(y.shape),
    inPlace: 0,
  }),
  /** dx, dgamma and dbeta. Inputs: x, gamma, the rows' statistics, dy. */
  layerNormGrad: defineOp("layerNormGrad", {
    internal: true,
    infer: ([x, gamma]) => [x, gamma, gamma].map(({ shape }) => float(shape)),
    lower: (emit, { inputs: [x, gamma, stats, dy], outputs: [dx, dgamma, dbeta] }) =>
      emit.call("f32_layer_norm_grad", ...matrix(x, gamma), x, gamma, stats, dy, dx, dgamma, dbeta),
    flops: ({ outputs: [dx] }) => 13 * sizeOf(dx.shape),
  }),
};

/**
 * (x - mean) / sqrt(variance + epsilon) * gamma + beta, statistics over the trailing axes that gamma and beta have.
 * The layer is `layerNormalization`.
 * @throws {ShapeError} when gamma's shape is not that of x's last axes
 */
export const layerNorm = (x: Value, gamma: Value, beta: Value, epsilon: number): Value =>
  make(layerNormOps.layerNorm, [x, gamma, beta], { epsilon }).outputs[0];
