// Checks that several shape rules share.
import { ShapeError, typeError } from "../errors.js";
import type { Spec } from "../graph/value.js";
import { show } from "../shape.js";
import type { DType } from "../tensor.js";

/** The dtype of both. @throws {TypeError} when they differ */
export function sameDType(op: string, a: Spec, b: Spec): DType {
  if (a.dtype !== b.dtype)
    throw typeError({ op, expected: "operands of one dtype", actual: `${a.dtype} and ${b.dtype}` });
  return a.dtype;
}

/** @throws {TypeError} unless every operand is of that dtype */
export function wantDType(op: string, dtype: DType, ...specs: readonly Spec[]): void {
  const other = specs.find((spec) => spec.dtype !== dtype);
  if (other) throw typeError({ op, expected: `${dtype} operands`, actual: `${other.dtype} ${show(other.shape)}` });
}

/** @throws {ShapeError} unless the rank is right; shapes are told as the user wrote them, without the batch */
export function wantRank(op: string, rank: number, what: string, spec: Spec): void {
  if (spec.shape.length === rank) return;
  throw new ShapeError({
    op,
    expected: `${what}, rank ${rank} with the batch`,
    actual: `rank ${spec.shape.length} (input ${show(spec.shape.slice(1))})`,
  });
}

/** @throws {ShapeError} when there are no elements along one of the axes */
export function wantElements(op: string, { shape }: Spec, ...axes: readonly number[]): void {
  const empty = axes.find((axis) => shape[axis] === 0);
  if (empty === undefined) return;
  throw new ShapeError({ op, expected: `elements along axis ${empty}`, actual: `none (input ${show(shape)})` });
}

/** The shape rule of elementwise float32 ops: as the first input. */
/* @__NO_SIDE_EFFECTS__ */
export const likeInput =
  (op: string) =>
  ([x]: readonly Spec[]): Spec => {
    wantDType(op, "float32", x);
    return { shape: x.shape, dtype: "float32" };
  };
