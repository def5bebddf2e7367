// A block of a transformer: attention and a feed-forward network, each with its residual sum and normalization.
import { rangeError, ShapeError } from "../errors.js";
import type { Value } from "../graph/value.js";
import { type ActivationName, activation } from "../ops/activation.js";
import { add } from "../ops/arithmetic.js";
import type { Initializer, InitializerName } from "../ops/initializer.js";
import { layerNorm } from "../ops/layernorm.js";
import { matmul } from "../ops/matmul.js";
import { dropout as drop } from "../ops/random.js";
import { show } from "../shape.js";
import { attendTo, checkGroups } from "./attention.js";
import { type Layer, type LayerOptions, stepwise, type WeightOf } from "./layer.js";
import { affine } from "./normalization.js";
import { positive } from "./options.js";

export interface TransformerBlockOptions extends LayerOptions {
  /** How many heads. */
  numHeads: number;
  /** Units of the feed-forward network. */
  intermediateDim: number;
  /** Size of each head; default the features divided by `numHeads`. */
  keyDim?: number;
  /** Heads of keys and values, which several heads of queries share; default `numHeads`. */
  numKeyValueHeads?: number;
  /** Of probabilities, of attention and of the feed-forward network; default 0. */
  dropout?: number;
  /** Of the feed-forward network; default `relu`. */
  activation?: ActivationName | ((x: Value) => Value);
  /** Default 1e-5. */
  layerNormEpsilon?: number;
  /** Whether normalization comes before attention and network, not after their sums; default false. */
  normalizeFirst?: boolean;
  /** Whether a step sees only those up to it, as in a decoder; default false. */
  useCausalMask?: boolean;
  /** Whether kernels have a bias and normalizations a `beta`; default true. */
  useBias?: boolean;
  /** Default `glorotUniform`. */
  kernelInitializer?: InitializerName | Initializer;
  /** Default `zeros`. */
  biasInitializer?: InitializerName | Initializer;
}

const known = [
  "numHeads",
  "intermediateDim",
  "keyDim",
  "numKeyValueHeads",
  "dropout",
  "activation",
  "layerNormEpsilon",
  "normalizeFirst",
  "useCausalMask",
  "useBias",
  "kernelInitializer",
  "biasInitializer",
] as const satisfies (keyof TransformerBlockOptions)[];

/**
 * Self-attention and a feed-forward network, as KerasHub's `TransformerEncoder`, or with `useCausalMask` its `TransformerDecoder` without
 * cross-attention. Steps that the input's mask leaves out are not attended to. Weights: `self_attention_layer/query/kernel` and so on as
 * `multiHeadAttention` has them, `self_attention_layer_norm/gamma` and `beta`, `feedforward_intermediate_dense/kernel` and `bias`,
 * `feedforward_output_dense`, `feedforward_layer_norm`.
 * @returns a layer from float32 [batch, steps, features] to the same shape
 * @throws {RangeError} for sizes that are no positive integers; the layer throws it where the heads do not share the features evenly
 * @example
 * transformerBlock({ numHeads: 4, intermediateDim: 128 })(input([10, 32])).shape; // [1, 10, 32]
 */
export function transformerBlock(options: TransformerBlockOptions): Layer {
  const op = "transformerBlock";
  const { numHeads, intermediateDim, numKeyValueHeads = numHeads, dropout = 0, normalizeFirst = false } = options;
  const { useCausalMask = false, useBias = true, layerNormEpsilon = 1e-5 } = options;
  const { kernelInitializer = "glorotUniform", biasInitializer = "zeros" } = options;
  const initializers = { kernelInitializer, biasInitializer };
  const sizes = { numHeads, intermediateDim, numKeyValueHeads, keyDim: options.keyDim ?? 1 };
  for (const [what, size] of Object.entries(sizes)) positive(op, what, size);
  checkGroups(op, numHeads, numKeyValueHeads);
  const act = activation(options.activation ?? "relu", op);
  const { epsilon, gamma, beta } = affine(op, { epsilon: layerNormEpsilon, center: useBias });
  const attend = (keyDim: number) =>
    attendTo(
      op,
      { heads: numHeads, groups: numKeyValueHeads, keyDim, valueDim: keyDim },
      { dropout, useBias, ...initializers },
    );
  attend(1); // what is wrong with the options is told here

  return stepwise(op, options, known, (x, weight, mask) => {
    const [features] = x.shape.slice(-1);
    if (x.shape.length !== 3)
      throw new ShapeError({ op, expected: "a sequence [steps, features]", actual: show(x.shape.slice(1)) });
    if (options.keyDim === undefined && features % numHeads > 0)
      throw rangeError({ op, expected: `keyDim, or features that ${numHeads} heads share`, actual: String(features) });
    const part =
      (name: string): WeightOf =>
      (own, ...given) =>
        weight(`${name}/${own}`, ...given);
    const norm = (value: Value, name: string): Value =>
      layerNorm(value, gamma(part(name), [features]), beta(part(name), [features]), epsilon);
    const dense = (value: Value, name: string, units: number): Value => {
      const y = matmul(value, part(name)("kernel", [value.shape[2], units], kernelInitializer));
      return useBias ? add(y, part(name)("bias", [units], biasInitializer)) : y;
    };
    const residual = (value: Value, name: string, f: (value: Value) => Value): Value => {
      const y = f(normalizeFirst ? norm(value, name) : value);
      const sum = add(value, dropout > 0 ? drop(y, dropout) : y);
      return normalizeFirst ? sum : norm(sum, name);
    };
    const attended = residual(x, "self_attention_layer_norm", (value) => {
      const run = attend(options.keyDim ?? features / numHeads);
      return run([value, value, value], part("self_attention_layer"), mask, { useCausalMask });
    });
    return residual(attended, "feedforward_layer_norm", (value) =>
      dense(act(dense(value, "feedforward_intermediate_dense", intermediateDim)), "feedforward_output_dense", features),
    );
  });
}
