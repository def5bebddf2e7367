// What is given for the outputs of a model: one thing for all of them, a list in their order, or an object by their names.
import { typeError } from "../errors.js";

/** One for all outputs, one for each in their order, or some by name. Outputs that are left out (`undefined`) have none. */
export type PerOutput<T> = T | readonly (T | undefined)[] | { readonly [output: string]: T | undefined };

/**
 * One entry per output.
 * @param what it is, for errors
 * @param isOne tells one thing from several
 * @throws {TypeError} for a name that there is not, or a list of another length
 */
export function perOutput<T>(
  given: PerOutput<T> | undefined,
  names: readonly string[],
  { op, what, isOne }: { op: string; what: string; isOne: (x: unknown) => boolean },
): (T | undefined)[] {
  if (isOne(given) || given === undefined || given === null) return names.map(() => given as T | undefined);
  const outputs = names.map((name) => `"${name}"`).join(", ");
  if (Array.isArray(given)) {
    if (given.length === names.length) return given.map((one) => one ?? undefined);
    throw typeError({ op, expected: `${what} for ${names.length} outputs (${outputs})`, actual: String(given.length) });
  }
  if (typeof given !== "object")
    throw typeError({ op, expected: `${what}, or several for outputs (${outputs})`, actual: String(given) });
  const stray = Object.keys(given).find((name) => !names.includes(name));
  if (stray !== undefined)
    throw typeError({ op, expected: `${what} for outputs (${outputs})`, actual: JSON.stringify(stray) });
  return names.map((name) => (given as Record<string, T | undefined>)[name] ?? undefined);
}
