// Bias correction (Nagel and others 2019): rounding weights moves the mean of each channel of a product, which its bias can take back.
import { rangeError } from "../errors.js";
import type { Graph, Value } from "../graph/value.js";
import { apply } from "../graph/value.js";
import { constant } from "../ops/leaf.js";
import { mean } from "../ops/reduce.js";
import type { Model } from "../program/model.js";
import { type Calibration, forEachBatch } from "./calibration.js";
import type { Product } from "./runs.js";
import { numbersOf, weightsOf } from "./weights.js";

/**
 * What is to be added to the bias [channels] of each product: minus the mean, over calibration, of what the errors of its weights make of
 * its inputs.
 */
export async function corrections(
  model: Model,
  graph: Graph,
  products: readonly Product[],
  calibration: Calibration,
  op: string,
): Promise<Map<Product, Float32Array>> {
  const numbers = numbersOf(
    model,
    products.map(({ kernel }) => kernel),
  );
  const outputs = products.map((product): Value => {
    const { node, kernel } = product;
    const weights = numbers.get(kernel) as Float32Array;
    const n = node.outputs[0].shape.at(-1) as number;
    const { data, scale } = weightsOf(weights, n);
    const errors = weights.map((w, i) => data[i] * scale[i % n] - w);
    const y = apply(
      node.op,
      [node.inputs[0], constant({ data: errors, shape: kernel.shape, dtype: "float32" })],
      node.attrs,
    );
    return mean(y, [...y.shape.keys()].slice(0, -1));
  });
  const sums = outputs.map(({ shape: [n] }) => new Float64Array(n));
  const samples = await forEachBatch(model, { ...graph, outputs }, calibration, op, (means, feeds) => {
    means.forEach((each, i) => {
      for (let c = 0; c < each.length; c++) sums[i][c] += feeds[0].shape[0] * each[c];
    });
  });
  if (samples === 0)
    throw rangeError({
      op,
      expected: "calibration that can be read twice, for biasCorrection",
      actual: "no samples the second time",
    });
  return new Map(products.map((product, i) => [product, Float32Array.from(sums[i], (sum) => -sum / samples)]));
}
