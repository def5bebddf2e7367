// Checks for op attributes. One schema serves calls and files alike, so nothing that a file says reaches a shape rule unchecked.
// Making a check has no side effects: a bundler may leave out the ops that it does not need together with theirs. (esbuild reads that
// mark from other files only for function declarations.)
import { typeError } from "../errors.js";
import type { AttrValue } from "./value.js";

/** Accepts a value, or says what it should have been. */
export interface Check {
  (value: unknown): string | undefined;
  /** What files mean where they do not say. */
  readonly usual?: AttrValue;
}

export type Schema<A> = { readonly [K in keyof A]-?: Check };

/** @param what made when it is told: importing ops makes hundreds of checks */
/* @__NO_SIDE_EFFECTS__ */
const expects =
  (what: () => string, fits: (value: unknown) => boolean): Check =>
  (value) =>
    fits(value) ? undefined : what();

/** A whole number in [low, high]. */
/* @__NO_SIDE_EFFECTS__ */
export function integer(low: number, high = 2 ** 31 - 1): Check {
  return expects(
    () => `an integer in [${low}, ${high}]`,
    (v) => Number.isInteger(v) && (v as number) >= low && (v as number) <= high,
  );
}

/** A list of whole numbers in [low, high]; of `count` numbers where given, else at most 8. */
/* @__NO_SIDE_EFFECTS__ */
export function integers(low: number, count?: number, high = 2 ** 31 - 1): Check {
  const one = integer(low, high);
  return expects(
    () => `${count ?? "a list of at most 8"} integers in [${low}, ${high}]`,
    (v) => Array.isArray(v) && (count === undefined ? v.length <= 8 : v.length === count) && !v.some(one),
  );
}

/** A number in [low, high], not NaN; infinities are written "inf" and "-inf" in files and never reach here. */
/* @__NO_SIDE_EFFECTS__ */
export function number(low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY): Check {
  return expects(
    () => `a number in [${low}, ${high}]`,
    (v) => typeof v === "number" && v >= low && v <= high,
  );
}

/** One of the given words. */
/* @__NO_SIDE_EFFECTS__ */
export function oneOf(...words: readonly string[]): Check {
  return expects(
    () => `one of ${words.map((w) => `"${w}"`).join(", ")}`,
    (v) => typeof v === "string" && words.includes(v),
  );
}

export const boolean: Check = expects(
  () => "true or false",
  (v) => typeof v === "boolean",
);

/** A name: 1 to 256 characters without control characters. */
export const text: Check = expects(
  () => "a text of 1 to 256 printable characters",
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  (v) => typeof v === "string" && v.length > 0 && v.length <= 256 && !/[\u0000-\u001f]/.test(v),
);

/** What integers stand for: real = scale (integer - zeroPoint). The scale is a float32. */
export type Quantization = {
  readonly scale: number;
  readonly zeroPoint: number;
};

/** The attribute `quantization` of a node says what the integers of its results stand for. */
export const quantizationCheck: Check = expects(
  () => "a float32 scale above 0 and a zeroPoint in [-128, 255]",
  (v) => {
    const { scale, zeroPoint } = (v ?? {}) as Quantization;
    return scale > 0 && scale < Infinity && scale === Math.fround(scale) && !integer(-128, 255)(zeroPoint);
  },
);

/** What `check` accepts, or nothing at all. */
/* @__NO_SIDE_EFFECTS__ */
export function optional(check: Check): Check {
  return (value) => (value === undefined ? undefined : check(value));
}

/** What `check` accepts; files leave it out where it is `value`, which must never become another: they would change with it. */
/* @__NO_SIDE_EFFECTS__ */
export function usually(check: Check, value: AttrValue): Check {
  return Object.assign((given: unknown) => check(given), { usual: value });
}

/** @throws {TypeError} for the first attribute that is wrong, missing or unknown */
export function validate<A extends object>(op: string, schema: Schema<A>, attrs: A): void {
  for (const key of Object.keys(schema) as (keyof A & string)[]) {
    const expected = schema[key](attrs[key]);
    if (expected !== undefined) {
      throw typeError({ op, expected: `${key} to be ${expected}`, actual: JSON.stringify(attrs[key]) ?? "nothing" });
    }
  }
  const unknown = Object.keys(attrs).find((key) => !Object.hasOwn(schema, key));
  if (unknown !== undefined) {
    throw typeError({ op, expected: `attributes ${Object.keys(schema).join(", ") || "none"}`, actual: `"${unknown}"` });
  }
}
