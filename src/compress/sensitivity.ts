// What each layer alone loses by int8.
import type { Value } from "../graph/value.js";
import type { Model } from "../program/model.js";
import type { Tensor } from "../tensor.js";
import { observe } from "./calibration.js";
import { convert } from "./convert.js";
import { quantizationOf, type Range } from "./integers.js";
import { foldedOf, planOf } from "./plan.js";

export interface Sensitivity {
  readonly layer: string;
  /** Squared error of the outputs over their squares, when this layer alone is int8. */
  readonly error: number;
}

/**
 * What each layer alone loses by int8, the worst first: names for `skip`.
 * @param data batches of inputs, for the ranges and for the errors
 * @throws as `quantize`
 * @example
 * const model = await build(input([4]), sequential(dense(8, { activation: "relu" }), dense(3)));
 * const [worst] = await sensitivity(model, tensor([[1, 2, 3, 4], [4, 3, 2, 1]]));
 * worst.layer; // "dense" or "dense_1"
 */
export async function sensitivity(model: Model, data: Tensor | readonly Tensor[]): Promise<Sensitivity[]> {
  const op = "sensitivity";
  const graph = foldedOf(model, op);
  const { layers } = planOf(model, op, {}, graph);
  const plans = layers.map((layer) => planOf(model, op, { skip: layers.filter((other) => other !== layer) }, graph));
  const points = [...new Set(plans.flatMap((plan) => plan.points))];
  const ranges = await observe(model, graph, points, data, op);
  const of = (value: Value) => quantizationOf(ranges.get(value) as Range);
  const expected = [model.predict(data)].flat();
  const found: Sensitivity[] = [];
  for (const [i, layer] of layers.entries()) {
    const alone = await convert(model, plans[i], { of });
    let [error, all] = [0, 0];
    [alone.predict(data)].flat().forEach((y, k) => {
      y.data.forEach((v, j) => {
        const [was, off] = [expected[k].data[j], v - expected[k].data[j]];
        error += off * off;
        all += was * was;
      });
    });
    found.push({ layer, error: all > 0 ? error / all : error });
  }
  return found.sort((a, b) => b.error - a.error);
}
