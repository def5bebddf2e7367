// Models of floats with int8 weights: products with weights keep their kernels as int8, everything else stays as it is.
import { apply, type Graph, type Node, type Value } from "../graph/value.js";
import { add, mul } from "../ops/arithmetic.js";
import { cast } from "../ops/cast.js";
import { clip } from "../ops/comparison.js";
import { depthwiseOps } from "../ops/depthwise.js";
import { matmulOps } from "../ops/matmul.js";
import { dynamicDense, weightOnlyDense } from "../ops/quantized/hybrid.js";
import { reshape } from "../ops/shape.js";
import type { Model } from "../program/model.js";
import { infos, owned, rebuilt, stateOf } from "./copy.js";
import type { Plan } from "./plan.js";
import type { Product } from "./runs.js";
import { layered, numbersOf, productsOf, summed, weightsOf } from "./weights.js";

/** Inputs of a `dynamicDense` that fit its sums. */
const MAX_TERMS = 2 ** 16;

/**
 * The model with int8 weights for the products of a plan. Dense layers read them as they are; convolutions make floats of theirs once, when
 * they pack them.
 * @param dynamic dense layers multiply integers: rows of their input are quantized as they come
 */
export function hybrid(model: Model, graph: Graph, plan: Plan, dynamic: boolean): Promise<Model> {
  const products = productsOf(plan.products);
  const numbers = numbersOf(
    model,
    products.flatMap(({ kernel, biases }) => [kernel, ...biases]),
  );
  const infoOf = infos(model);
  const names = layered(products, infoOf);
  const runs = new Map(plan.products.map((run) => [run.last, run]));
  const kernels = new Map<Value, readonly [Value, Value]>();
  /** int8 and scales of a product's weights, which another use of the same weights shares. */
  const weights = (product: Product, n: number): readonly [Value, Value] => {
    const known = kernels.get(product.kernel);
    if (known) return known;
    const { layer, kernel, scale } = names(product);
    const { shape } = product.kernel;
    const made = weightsOf(numbers.get(product.kernel) as Float32Array, n);
    const states = [
      stateOf(layer, kernel, { data: made.data, shape, dtype: "int8" }),
      stateOf(layer, scale, { data: made.scale, shape: [n], dtype: "float32" }),
    ] as const;
    kernels.set(product.kernel, states);
    return states;
  };
  return rebuilt(model, graph, infoOf, (node, now) => {
    const run = runs.get(node);
    if (!run?.product) return undefined;
    const { first, product, low, high } = run;
    const n = first.outputs[0].shape.at(-1) as number;
    const [kernel, scale] = weights(product, n);
    const x = now(first.inputs[0]);
    const biases = product.biases.map((value) => numbers.get(value) as Float32Array);
    const { layer, bias: name } = names(product);
    const data = Float32Array.from(summed(biases, n));
    const bias = biases.length > 0 ? stateOf(layer, name, { data, shape: [n], dtype: "float32" }) : undefined;
    if (first.op === matmulOps.matmul) {
      const dense = dynamic && product.kernel.shape[0] <= MAX_TERMS ? dynamicDense : weightOnlyDense;
      return owned(dense(x, kernel, scale, { bias, low, high }), infoOf(first));
    }
    const y = owned(apply(first.op, [x, floatsOf(first, kernel, scale)], first.attrs), infoOf(first));
    const sum = bias ? owned(add(y, bias), infoOf(first)) : y;
    const isClamped = low > Number.NEGATIVE_INFINITY || high < Number.POSITIVE_INFINITY;
    return isClamped ? owned(clip(sum, low, high), infoOf(first)) : sum;
  });
}

/** Weights that int8 and scales stand for. */
function floatsOf({ op }: Node, kernel: Value, scale: Value): Value {
  const channels = op === depthwiseOps.depthwiseConv2d ? reshape(scale, kernel.shape.slice(2)) : scale;
  return mul(cast(kernel, "float32"), channels);
}
