// One row of the table of ops, and a short way to write it.
import type { Value } from "../../src/index.js";
import { type Array64, numbers } from "../oracle/array.js";

export interface Case {
  readonly name: string;
  /** Arguments, float32 numbers in float64; labels are integers and get no gradient. */
  readonly inputs: readonly (Array64 & { readonly labels?: boolean })[];
  readonly op: (...values: Value[]) => Value;
  readonly oracle: (...arrays: Array64[]) => Array64;
  /** Largest difference, relative to the largest number of the result; default 2e-6. */
  readonly tolerance?: number;
  /** The name without shapes. */
  readonly title?: string;
  /** What the numbers of the arguments lie between; default -1 and 1. */
  readonly range?: readonly [number, number];
  /** Larger shapes for `npm run bench`. */
  readonly benchmark?: readonly Benchmark[];
}

export interface Benchmark {
  readonly shapes: readonly (readonly number[])[];
  /** What labels and indices are less than. */
  readonly below?: number;
}

/** The argument order of table rows: name, shapes, op, oracle. */
export const row = (
  name: string,
  shapes: readonly (readonly number[])[],
  op: Case["op"],
  of: Case["oracle"],
  range?: [number, number],
): Case => ({
  name: `${name} ${shapes.map((shape) => `[${shape}]`).join(" ")}`,
  inputs: shapes.map((shape, i) => numbers(shape, 7 * i + name.length, ...(range ?? []))),
  op,
  oracle: of,
  title: name,
  range,
});
