// The check that counts, sizes and seeds go through.
import { rangeError, told } from "../errors.js";

/** @throws {RangeError} unless the value is a whole number of at least `least` */
export function whole(op: string, what: string, value: unknown, least: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= least) return;
  throw rangeError({ op, expected: `${what} to be a whole number of at least ${least}`, actual: told(value) });
}
