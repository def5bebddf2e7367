// How weights begin: Keras' initializers as plain data, turned into one call of a random kernel when a model is built.

import { rangeError, typeError } from "../errors.js";
import type { AttrValue } from "../graph/value.js";
import { type Shape, sizeOf } from "../shape.js";

/** A distribution, independent of the shape. */
export type Initializer =
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "uniform"; readonly low: number; readonly high: number }
  | { readonly kind: "normal" | "truncatedNormal"; readonly mean: number; readonly std: number };

const fields = {
  constant: ["value"],
  uniform: ["low", "high"],
  normal: ["mean", "std"],
  truncatedNormal: ["mean", "std"],
} as const satisfies Record<Initializer["kind"], readonly string[]>;

/** Attribute check for an initializer that came from a file. */
export function checkInitializer(value: unknown): string | undefined {
  const given = value as Record<string, unknown> | null;
  const names = typeof given === "object" && given !== null ? fields[given.kind as Initializer["kind"]] : undefined;
  const fits = names?.every((name) => Number.isFinite(given?.[name]));
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

/** An initializer as a node attribute. */
export const asAttr = (initializer: Initializer): AttrValue => ({ ...initializer });
