// Where graphs begin: inputs (fed at each run, batch first), arguments (small numbers that change between runs: learning rate, step),
// states (what persists: parameters, moments) and constants.
import { checkKeys, told, typeError } from "../errors.js";
import { boolean, integers, oneOf, optional, type Quantization, quantizationCheck, text } from "../graph/attrs.js";
import { defineOp } from "../graph/op.js";
import { type Attrs, leaf, type Value } from "../graph/value.js";
import { checkShape, type Shape } from "../shape.js";
import { type DType, dtypes, type Tensor } from "../tensor.js";
import { checkInitializer, type Initializer } from "./initializer.js";
import { checkRegularizer, type Regularizer } from "./regularizer.js";

/** The batch size while a graph is defined. */
export const DEFINED_BATCH = 1;

interface Argument {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly name?: string;
}

interface Fed extends Argument {
  readonly quantization?: Quantization;
  /** False for an input whose first axis is no batch: the same for all samples. Default true. */
  readonly batched?: boolean;
}

const fed = { shape: integers(0), dtype: oneOf(...dtypes), name: optional(text) };

export const inputOp = defineOp<Fed>("input", {
  attrs: { ...fed, quantization: optional(quantizationCheck), batched: optional(boolean) },
  infer: () => [],
});
export const argumentOp = defineOp<Argument>("argument", { attrs: fed, infer: () => [] });
export const constantOp = defineOp("constant", { infer: () => [] });

export interface StateAttrs {
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** The weight's own name within its layer: `kernel`. */
  readonly name: string;
  readonly initializer: Initializer;
  readonly trainable: boolean;
  /** Penalty that a loss adds; none by default. */
  readonly regularizer?: Regularizer;
  /** What a model carries from one run to the next, until `resetState`: no weight that is learnt. */
  readonly carried?: boolean;
}

export const stateOp = defineOp<StateAttrs>("state", {
  attrs: {
    shape: integers(0),
    dtype: oneOf(...dtypes),
    name: text,
    initializer: checkInitializer,
    trainable: boolean,
    regularizer: optional(checkRegularizer),
    carried: optional(boolean),
  },
  infer: () => [],
});

/**
 * An input of a model.
 * @param shape without the batch
 * @param options.dtype default `float32`
 * @param options.name default `input`, `input_1`, ... in the order of `build`
 * @param options.quantization what the integers stand for; default nothing
 * @param options.batched false: `shape` is all of it, and the same array serves every sample of a batch; default true
 * @example
 * const x = input([28, 28, 1]);
 * x.shape; // [1, 28, 28, 1]: the batch comes first, 1 while the graph is defined
 */
export function input(
  shape: readonly number[],
  options: { dtype?: DType; name?: string; quantization?: Quantization; batched?: boolean } = {},
): Value {
  checkShape(shape, "input");
  checkKeys("input", options, ["dtype", "name", "quantization", "batched"]);
  const { dtype = "float32", name, quantization, batched = true } = options;
  return inputOf({
    shape: [...shape],
    dtype,
    ...(name !== undefined && { name }),
    ...(quantization && { quantization: { ...quantization } }),
    ...(!batched && { batched }),
  });
}

/** An input by its attributes. */
export function inputOf(attrs: Attrs, batch = DEFINED_BATCH): Value {
  inputOp.check(attrs);
  const { shape, dtype, batched = true } = attrs as unknown as Fed;
  return leaf(inputOp, attrs, { shape: batched ? [batch, ...shape] : shape, dtype });
}

export const isBatched = ({ node }: Value): boolean => node.attrs.batched !== false;

/** The same input for another batch size. */
export const withBatch = (value: Value, batch: number): Value =>
  isBatched(value) && value.shape[0] !== batch ? inputOf(value.node.attrs, batch) : value;

/** A small array that is written before each run by name. */
export const argument = (name: string, shape: Shape = [], dtype: DType = "float32"): Value =>
  leaf(argumentOp, { name, shape: [...shape], dtype }, { shape, dtype });

/** What persists between runs; the model that uses it gives it memory. */
export function state(
  name: string,
  shape: Shape,
  initializer: Initializer,
  trainable: boolean,
  dtype: DType = "float32",
  regularizer?: Regularizer,
  carried = false,
): Value {
  checkShape(shape, "state");
  const more = { ...(regularizer && { regularizer: { ...regularizer } }), ...(carried && { carried }) };
  return leaf(
    stateOp,
    { name, shape: [...shape], dtype, initializer: { ...initializer }, trainable, ...more },
    { shape, dtype },
  );
}

/**
 * Numbers known when the graph is made; `save` keeps them.
 * @example
 * add(input([2]), constant(tensor([1, 2]))).shape; // [1, 2]
 */
export function constant(data: Tensor): Value {
  if (!ArrayBuffer.isView(data?.data)) throw typeError({ op: "constant", expected: "a tensor", actual: told(data) });
  return leaf(constantOp, {}, { shape: data.shape, dtype: data.dtype }, data);
}

/** A scalar constant. */
export const scalar = (x: number): Value => constant({ data: Float32Array.of(x), shape: [], dtype: "float32" });

export const isState = (value: Value): boolean => value.node.op === stateOp;
export const stateAttrs = (value: Value): StateAttrs => value.node.attrs as unknown as StateAttrs;
