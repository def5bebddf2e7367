// What a rule is: from one operator of a file to Values of ours; and what rules of all kinds share.
import { FormatError } from "../../../errors.js";
import type { Value } from "../../../graph/value.js";
import { relu } from "../../../ops/activation.js";
import { clip } from "../../../ops/comparison.js";
import { requantize } from "../../../ops/quantized/convert.js";
import type { Clamped, Quantization } from "../../../ops/quantized/quantization.js";
import { toEven } from "../../../ops/quantized/rounding.js";
import { tanh } from "../../../ops/unary.js";
import { normalizeAxes } from "../../../shape.js";
import type { Operator } from "../importer.js";
import type { TfliteType } from "../schema.js";

/** From an operator to what it computes, and for which types. */
export interface Rule {
  /** Types of an input and of the first result that it takes. */
  readonly types: readonly (readonly [input: TfliteType | undefined, output: TfliteType | undefined])[];
  /** Which input that is, default the first. */
  readonly typed?: number;
  /** Inputs that have no batch, such as shapes: as inputs of the model they are one for all samples. */
  readonly unbatched?: readonly number[];
  /** It makes no numbers: what it does is done to the importer. */
  readonly isSilent?: true;
  /** The results, in the order of the file. */
  build(o: Operator): Value | readonly Value[];
}

/** Rules by the names of operators. */
export type Rules = Readonly<Record<string, Rule>>;

export const FLOAT = ["float32", "float32"] as const;
export const INT8 = ["int8", "int8"] as const;
export const UINT8 = ["uint8", "uint8"] as const;
export const INT16 = ["int16", "int16"] as const;
/** Integers of 32 bits; those of 64 are taken for such. */
export const INT32 = [
  ["int32", "int32"],
  ["int64", "int64"],
] as const;
/** Every type that is moved and not computed with: integers of 16 bits go as they are. */
export const SAME = [FLOAT, INT8, UINT8, INT16, ...INT32, ["bool", "bool"], ["float16", "float16"]] as const;

/** A rule for the given types, by default float32, int8 and uint8, whose integers are here 128 less. */
/* @__NO_SIDE_EFFECTS__ */
export function rule(build: Rule["build"], ...types: Rule["types"]): Rule {
  return { types: types.length > 0 ? types : [FLOAT, INT8, UINT8], build };
}

export function fail(o: Operator, expected: string, actual: string): never {
  throw new FormatError(`tflite: ${o.name}: expected ${expected}, got ${actual}`);
}

const PADDING = ["same", "valid"] as const;

export const padding = (o: Operator): "same" | "valid" =>
  PADDING[o.byte(0)] ?? fail(o, "SAME or VALID padding", String(o.byte(0)));

/** Fused activations by their number: none, RELU, RELU_N1_TO_1, RELU6, TANH; and RELU_0_TO_1, which is only an operator. */
const CLAMPS = [
  [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  [0, Number.POSITIVE_INFINITY],
  [-1, 1],
  [0, 6],
  undefined,
  [0, 1],
] as const;

export function activated(o: Operator, x: Value, code: number): Value {
  if (code === 4) return tanh(x);
  const [low, high] = CLAMPS[code] ?? fail(o, "a fused activation that there is", String(code));
  if (code === 1) return relu(x);
  return code === 0 ? x : clip(x, low, high);
}

/** A fused activation as limits of the integers of the result, which are in [least, most]. */
export function limits(
  o: Operator,
  code: number,
  { scale, zeroPoint }: Quantization,
  least = -128,
  most = 127,
): Clamped {
  const [low, high] = CLAMPS[code] ?? fail(o, "a fused activation that clamps", String(code));
  const at = (x: number) => Math.min(Math.max(toEven(Math.fround(x / scale)) + zeroPoint, least), most);
  return {
    ...(low > Number.NEGATIVE_INFINITY && { low: at(low) }),
    ...(high < Number.POSITIVE_INFINITY && { high: at(high) }),
  };
}

/** @throws {FormatError} unless input and result stand for the same numbers */
export function same(o: Operator, a: Quantization, b: Quantization): void {
  if (a.scale === b.scale && a.zeroPoint === b.zeroPoint) return;
  fail(o, "one scale and zero point for input and result", `${JSON.stringify(a)} and ${JSON.stringify(b)}`);
}

/** x as what the result stands for. */
export const moved = (o: Operator, i: number): Value => {
  if (!o.isQuantized) return o.input(i);
  const [input, { quantization }] = [o.of(i), o];
  const equal = input.scale === quantization.scale && input.zeroPoint === quantization.zeroPoint;
  return equal ? o.input(i) : requantize(o.input(i), { input, quantization });
};

export const axesOf = (o: Operator, i: number): number[] =>
  normalizeAxes(o.importer.integers(o.at(i)), o.tensor(0).shape.length, o.name);

/** An axis of so many, counted from the end where it is negative. */
export const axisOf = (o: Operator, axis: number, rank: number): number => normalizeAxes(axis, rank, o.name)[0];
