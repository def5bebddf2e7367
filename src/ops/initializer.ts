// How weights begin: Keras' initializers as plain data, turned into one call of a random kernel when a model is built.

import { rangeError, typeError } from "../errors.js";
import type { AttrValue } from "../graph/value.js";
import { type Shape, sizeOf } from "../shape.js";
import type { TypedArray } from "../tensor.js";

/** A distribution, independent of the shape. */
export type Initializer =
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "uniform"; readonly low: number; readonly high: number }
  | { readonly kind: "normal" | "truncatedNormal"; readonly mean: number; readonly std: number }
  /** A matrix of all axes but the last by the last, whose columns (rows, if these are fewer) are orthogonal and of length `gain`. */
  | { readonly kind: "orthogonal"; readonly gain: number }
  /** Equal parts one after the other, each of one number. */
  | { readonly kind: "parts"; readonly values: readonly number[] };

const fields = {
  constant: ["value"],
  uniform: ["low", "high"],
  normal: ["mean", "std"],
  truncatedNormal: ["mean", "std"],
  orthogonal: ["gain"],
  parts: ["values"],
} as const satisfies Record<Initializer["kind"], readonly string[]>;

/** Attribute check for an initializer that came from a file. */
export function checkInitializer(value: unknown): string | undefined {
  const given = value as Record<string, unknown> | null;
  const names = typeof given === "object" && given !== null ? fields[given.kind as Initializer["kind"]] : undefined;
  const fits = names?.every((name) => {
    const number = given?.[name];
    const list =
      name === "values" && Array.isArray(number) && number.length > 0 && number.length <= 2 ** 16 ? number : [number];
    return list.every(Number.isFinite);
  });
  return fits ? undefined : `an initializer: ${Object.keys(fields).join(", ")} with finite numbers`;
}

/** Fan-in and fan-out as Keras counts them: the receptive field times the last two axes. */
export function fans(shape: Shape): { fanIn: number; fanOut: number } {
  if (shape.length < 2) {
    const n = shape[0] ?? 1;
    return { fanIn: n, fanOut: n };
  }
  const field = sizeOf(shape.slice(0, -2));
  return { fanIn: field * (shape.at(-2) as number), fanOut: field * (shape.at(-1) as number) };
}

// A normal cut off at two standard deviations has this standard deviation; Keras divides by it.
const TRUNCATED_STD = 0.87962566103423978;

const uniform = (variance: number): Initializer => {
  const limit = Math.sqrt(3 * variance);
  return { kind: "uniform", low: -limit, high: limit };
};
const truncated = (variance: number): Initializer => ({
  kind: "truncatedNormal",
  mean: 0,
  std: Math.sqrt(variance) / TRUNCATED_STD,
});

const byName = {
  zeros: () => ({ kind: "constant", value: 0 }),
  ones: () => ({ kind: "constant", value: 1 }),
  glorotUniform: (shape) => uniform(2 / (fans(shape).fanIn + fans(shape).fanOut)),
  glorotNormal: (shape) => truncated(2 / (fans(shape).fanIn + fans(shape).fanOut)),
  heUniform: (shape) => uniform(2 / fans(shape).fanIn),
  heNormal: (shape) => truncated(2 / fans(shape).fanIn),
  lecunUniform: (shape) => uniform(1 / fans(shape).fanIn),
  lecunNormal: (shape) => truncated(1 / fans(shape).fanIn),
  randomUniform: () => ({ kind: "uniform", low: -0.05, high: 0.05 }),
  randomNormal: () => ({ kind: "normal", mean: 0, std: 0.05 }),
  truncatedNormal: () => ({ kind: "truncatedNormal", mean: 0, std: 0.05 }),
  orthogonal: () => ({ kind: "orthogonal", gain: 1 }),
} as const satisfies Record<string, (shape: Shape) => Initializer>;

/** Names of Keras' initializers, in lower camel case. */
export type InitializerName = keyof typeof byName;

/**
 * The distribution that a name or a description means for a shape.
 * @throws {TypeError} for a name or kind that there is not; {RangeError} for a negative standard deviation
 */
export function resolveInitializer(given: InitializerName | Initializer, shape: Shape, op: string): Initializer {
  if (typeof given === "string") {
    const known = Object.hasOwn(byName, given) ? byName[given] : undefined;
    if (known === undefined)
      throw typeError({ op, expected: `an initializer of ${Object.keys(byName).join(", ")}`, actual: `"${given}"` });
    const zeroFan = shape.some((d) => d === 0);
    return zeroFan ? { kind: "constant", value: 0 } : known(shape);
  }
  const problem = checkInitializer(given);
  if (problem !== undefined) throw typeError({ op, expected: problem, actual: JSON.stringify(given) });
  if ("std" in given && given.std < 0)
    throw rangeError({ op, expected: "a standard deviation of at least 0", actual: String(given.std) });
  return given;
}

/**
 * Makes a matrix of normal numbers orthogonal, in place: Gram and Schmidt's method, each vector twice ("twice is enough", Giraud and others
 * 2005). Saxe and others, "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks", 2014.
 */
export function orthogonalize(x: TypedArray, columns: number, gain: number): void {
  const rows = x.length / columns;
  const [count, size, step, next] = rows < columns ? [rows, columns, 1, columns] : [columns, rows, columns, 1];
  const vectors = Array.from({ length: count }, (_, i) =>
    Float64Array.from({ length: size }, (_, j) => x[i * next + j * step]),
  );
  const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, v, j) => sum + v * b[j], 0);
  vectors.forEach((v, i) => {
    for (const before of [...vectors.slice(0, i), ...vectors.slice(0, i)]) {
      const share = dot(v, before);
      for (let j = 0; j < size; j++) v[j] -= share * before[j];
    }
    const length = Math.sqrt(dot(v, v));
    for (let j = 0; j < size; j++) {
      v[j] /= length;
      x[i * next + j * step] = gain * v[j];
    }
  });
}

/** An initializer as a node attribute. */
export const asAttr = (initializer: Initializer): AttrValue => ({ ...initializer });
