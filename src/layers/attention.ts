// Attention between sequences, with heads of keys and values of their own or shared by several heads of queries.
import { checkKeys, rangeError, ShapeError, told } from "../errors.js";
import type { Value } from "../graph/value.js";
import { add, mul } from "../ops/arithmetic.js";
import { scaledDotProductAttention } from "../ops/attention.js";
import { cast } from "../ops/cast.js";
import type { Initializer, InitializerName } from "../ops/initializer.js";
import { matmul } from "../ops/matmul.js";
import { type Regularizer, type RegularizerName, regularized } from "../ops/regularizer.js";
import { expandDims, reshape } from "../ops/shape.js";
import { show } from "../shape.js";
import { define, type LayerOptions, type WeightOf } from "./layer.js";
import { positive, regularizerOptions, regularizers } from "./options.js";

export interface GroupQueryAttentionOptions extends LayerOptions {
  /** Share of the probabilities that training zeroes; default 0. */
  dropout?: number;
  /** Default true. */
  useBias?: boolean;
  /** Of all four kernels; default `glorotUniform`. */
  kernelInitializer?: InitializerName | Initializer;
  /** Default `zeros`. */
  biasInitializer?: InitializerName | Initializer;
  /** Default none. */
  kernelRegularizer?: RegularizerName | Regularizer;
  /** Default none. */
  biasRegularizer?: RegularizerName | Regularizer;
  /** Of the layer's output; default none. */
  activityRegularizer?: RegularizerName | Regularizer;
}

export interface MultiHeadAttentionOptions extends GroupQueryAttentionOptions {
  /** Size of each head's values; default `keyDim`. */
  valueDim?: number;
  /** Features of the result; default those of the query. */
  outputShape?: number;
}

/** How a sequence attends to another. */
export interface AttentionCall {
  /**
   * [batch, t, s], [batch, heads, t, s] or [batch, s], sizes of 1 but the last repeated: true where a query may see a key. Of another dtype than
   * bool, numbers other than 0 are true, as in Keras. Default everywhere.
   */
  attentionMask?: Value;
  /** Whether a query sees the keys up to its own place only; default false. */
  useCausalMask?: boolean;
}

/**
 * A layer from a query [batch, t, features] and a value [batch, s, features] to [batch, t, features]. The value is the query where it is left
 * out, the key is the value.
 */
export type AttentionLayer = (query: Value, value?: Value, key?: Value, call?: AttentionCall) => Value;

/** Sizes of a layer's heads. */
interface Heads {
  readonly heads: number;
  /** Heads of keys and values. */
  readonly groups: number;
  readonly keyDim: number;
  readonly valueDim: number;
  readonly outputDim?: number | undefined;
}

const shared = ["dropout", "useBias", "kernelInitializer", "biasInitializer", ...regularizerOptions] as const;

/** @throws {RangeError} for a rate outside [0, 1) */
function checkRate(op: string, rate: unknown): void {
  if (typeof rate === "number" && rate >= 0 && rate < 1) return;
  throw rangeError({ op, expected: "dropout in [0, 1)", actual: told(rate) });
}

/** What attention does with values and the mask of the keys, as part of a layer that has `weight`. */
export function attendTo(op: string, sizes: Heads, options: GroupQueryAttentionOptions) {
  const { dropout = 0, useBias = true, kernelInitializer = "glorotUniform", biasInitializer = "zeros" } = options;
  const { heads, groups, keyDim, valueDim } = sizes;
  const { ofKernel, ofBias } = regularizers(op, options);
  checkRate(op, dropout);
  return ([query, value, key]: readonly Value[], weight: WeightOf, keys: Value | undefined, call: AttentionCall) => {
    for (const [what, x] of Object.entries({ query, value, key }))
      if (x.shape.length !== 3 || x.shape[1] === 0)
        throw new ShapeError({
          op,
          expected: `a ${what} [steps, features] of at least one step`,
          actual: show(x.shape.slice(1)),
        });
    /** x times a kernel, of whose axes the first `inputs` are summed over. */
    const project = (x: Value, name: string, kernel: readonly number[], inputs: number): Value => {
      const [from, to] = [kernel.slice(0, inputs), kernel.slice(inputs)].map((axes) => axes.reduce((a, b) => a * b));
      const w = weight(`${name}/kernel`, kernel, kernelInitializer, { regularizer: ofKernel });
      const y = matmul(x, reshape(w, [from, to]));
      if (!useBias) return y;
      const bias = weight(`${name}/bias`, kernel.slice(inputs), biasInitializer, { regularizer: ofBias });
      return add(y, reshape(bias, [to]));
    };
    const split = (x: Value, name: string, count: number, size: number): Value =>
      reshape(project(x, name, [x.shape[2], count, size], 1), [-1, x.shape[1], count, size]);
    const { attentionMask, useCausalMask = false } = call;
    const y = scaledDotProductAttention(
      split(query, "query", heads, keyDim),
      split(key, "key", groups, keyDim),
      split(value, "value", groups, valueDim),
      { mask: both(attentionMask && cast(attentionMask, "bool"), keys), isCausal: useCausalMask, dropout },
    );
    const joined = reshape(y, [-1, query.shape[1], heads * valueDim]);
    return project(joined, "attention_output", [heads, valueDim, sizes.outputDim ?? query.shape[2]], 2);
  };
}

/** A mask of pairs and one of keys [batch, s] as one: true where both are. */
export function both(pairs: Value | undefined, keys: Value | undefined): Value | undefined {
  if (!pairs || !keys) return pairs ?? keys;
  const rank = pairs.shape.length;
  const [a, b] = [pairs, rank > 2 ? expandDims(keys, rank === 3 ? [1] : [1, 2]) : keys];
  return cast(mul(cast(a, "float32"), cast(b, "float32")), "bool");
}

function attention<O extends MultiHeadAttentionOptions>(
  op: string,
  sizes: Heads,
  options: O,
  known: readonly (keyof O)[],
): AttentionLayer {
  const attend = attendTo(op, sizes, options);
  const { ofOutput } = regularizers(op, options);
  const made = define<O, AttentionCall>(
    op,
    options,
    known,
    (values, weight, [, value, key], call) =>
      regularized(attend(values, weight, both(value, key === value ? undefined : key), call), ofOutput),
    true,
  );
  return (query, value = query, key = value, call = {}) => {
    checkKeys(op, call, ["attentionMask", "useCausalMask"]);
    return made([query, value, key], call);
  };
}

/**
 * Attention with several heads, as Keras' `MultiHeadAttention`, in one fused kernel; it gives no scores back. Keys that the value's or the
 * key's mask leaves out count for nobody, and the result has the mask of the query. Weights: `query/kernel` [features, numHeads, keyDim],
 * `query/bias` [numHeads, keyDim], likewise `key` and `value`, `attention_output/kernel` [numHeads, valueDim, features] and
 * `attention_output/bias`.
 * @param numHeads how many heads
 * @param keyDim size of each head's queries and keys
 * @returns a layer of a query, a value, a key and how they attend; of one Value, self-attention
 * @throws {RangeError} for sizes that are no positive integers and rates outside [0, 1); the layer throws {ShapeError} for a mask that does
 *   not fit, and for empty sequences
 * @example
 * const [x, memory] = [input([10, 32]), input([20, 32])];
 * multiHeadAttention(4, 8)(x, memory).shape; // [1, 10, 32]
 * multiHeadAttention(4, 8)(x, x, x, { useCausalMask: true }).shape; // [1, 10, 32]
 */
export function multiHeadAttention(
  numHeads: number,
  keyDim: number,
  options: MultiHeadAttentionOptions = {},
): AttentionLayer {
  const op = "multiHeadAttention";
  const { valueDim = keyDim, outputShape } = options;
  for (const [what, size] of Object.entries({ numHeads, keyDim, valueDim, outputShape: outputShape ?? 1 }))
    positive(op, what, size);
  const sizes = { heads: numHeads, groups: numHeads, keyDim, valueDim, outputDim: outputShape };
  return attention(op, sizes, options, [...shared, "valueDim", "outputShape"]);
}

/**
 * Attention whose heads of queries share heads of keys and values in groups, as Keras' `GroupQueryAttention`. Weights as
 * `multiHeadAttention` has them, those of keys and values with `numKeyValueHeads`.
 * @param headDim size of each head
 * @param numQueryHeads how many heads of queries
 * @param numKeyValueHeads how many of keys and values: a divisor of `numQueryHeads`
 * @returns a layer as `multiHeadAttention` gives
 * @throws {RangeError} for sizes that are no positive integers, and heads that cannot be shared evenly
 * @example
 * groupQueryAttention(8, 4, 2)(input([10, 32])).shape; // [1, 10, 32]
 */
export function groupQueryAttention(
  headDim: number,
  numQueryHeads: number,
  numKeyValueHeads: number,
  options: GroupQueryAttentionOptions = {},
): AttentionLayer {
  const op = "groupQueryAttention";
  for (const [what, size] of Object.entries({ headDim, numQueryHeads, numKeyValueHeads })) positive(op, what, size);
  checkGroups(op, numQueryHeads, numKeyValueHeads);
  const sizes = { heads: numQueryHeads, groups: numKeyValueHeads, keyDim: headDim, valueDim: headDim };
  return attention(op, sizes, options, shared);
}

/** @throws {RangeError} unless the heads of queries are shared evenly */
export function checkGroups(op: string, heads: number, groups: number): void {
  if (heads % groups === 0) return;
  const expected = `numKeyValueHeads to be a divisor of the ${heads} heads of queries`;
  throw rangeError({ op, expected, actual: String(groups) });
}
