// Arithmetic on shapes: sizes, printing, broadcasting. Shapes are plain arrays of non-negative integers, row-major, NHWC for images.
import { rangeError, ShapeError, told, typeError } from "./errors.js";

export type Shape = readonly number[];

/** Number of elements. `[]` is a scalar and has one. */
export const sizeOf = (shape: Shape): number => shape.reduce((n, d) => n * d, 1);

/** `[2, 3]` as text. */
export const show = (shape: Shape): string => `[${shape.join(", ")}]`;

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => d === b[i]);

/** Throws unless every dimension is a non-negative integer and the element count is exact in a double. */
export function checkShape(shape: unknown, op: string, what = "a shape"): asserts shape is Shape {
  const fits =
    Array.isArray(shape) &&
    shape.length <= 8 &&
    shape.every((d) => Number.isSafeInteger(d) && d >= 0) &&
    sizeOf(shape.map((d) => Math.max(d, 1))) <= Number.MAX_SAFE_INTEGER;
  if (!fits) {
    throw rangeError({ op, expected: `${what} of at most 8 non-negative integers`, actual: JSON.stringify(shape) });
  }
}

/** NumPy broadcasting of two shapes. @throws {ShapeError} where two dimensions differ and neither is 1 */
export function broadcast(a: Shape, b: Shape, op: string): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const da = a[i - rank + a.length] ?? 1;
    const db = b[i - rank + b.length] ?? 1;
    if (da !== db && da !== 1 && db !== 1) {
      throw new ShapeError({ op, expected: "shapes that broadcast", actual: `${show(a)} and ${show(b)}` });
    }
    return da === 1 ? db : da;
  });
}

/** Axes as non-negative numbers, ascending, without repeats; negative ones count from the end. */
export function normalizeAxes(axes: number | readonly number[] | undefined, rank: number, op: string): number[] {
  if (axes !== undefined && typeof axes !== "number" && !Array.isArray(axes))
    throw typeError({ op, expected: "an axis or a list of axes", actual: told(axes) });
  const list =
    axes === undefined ? Array.from({ length: rank }, (_, i) => i) : typeof axes === "number" ? [axes] : [...axes];
  const fixed = list.map((axis) => (axis < 0 ? axis + rank : axis));
  const wrong = list.find(
    (_, i) => !(Number.isInteger(fixed[i]) && (fixed[i] as number) >= 0 && (fixed[i] as number) < rank),
  );
  if (wrong !== undefined) {
    throw rangeError({ op, expected: `axes in [${-rank}, ${rank - 1}] for rank ${rank}`, actual: String(wrong) });
  }
  return [...new Set(fixed)].sort((x, y) => x - y);
}
