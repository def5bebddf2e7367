// The share of the variance that predictions explain.
import { add, mul, sub } from "../../ops/arithmetic.js";
import { concat } from "../../ops/concat.js";
import { reshape } from "../../ops/shape.js";
import { square } from "../../ops/unary.js";
import { sizeOf } from "../../shape.js";
import { like, type Metric } from "./metric.js";

/**
 * 1 - sum((t - p)^2) / sum((t - mean(t))^2) of each column over all samples, averaged over the columns, as Keras' `R2Score`; 0 for a column
 * that does not vary. Targets and predictions are [..., columns].
 * @example
 * const metrics = [r2Score()];
 */
export const r2Score = (): Metric => ({
  name: "r2Score",
  sums: (prediction) => 4 * (prediction[prediction.length - 1] ?? 1),
  of(yTrue, yPred) {
    const columns = yPred.shape[yPred.shape.length - 1] ?? 1;
    const rows = [columns === 0 ? 0 : sizeOf(yPred.shape) / columns, columns];
    const t = reshape(like(yTrue, yPred, "r2Score"), rows);
    const ones = add(mul(t, 0), 1);
    return concat([ones, t, square(t), square(sub(t, reshape(yPred, rows)))]);
  },
  result(...sums) {
    const columns = sums.length / 4;
    let total = 0;
    for (let i = 0; i < columns; i++) {
      const [n, t, squares, errors] = [0, 1, 2, 3].map((k) => sums[k * columns + i]);
      const spread = squares - (t * t) / n;
      total += spread > 0 ? 1 - errors / spread : 0;
    }
    return total / columns;
  },
});
