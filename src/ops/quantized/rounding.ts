// Scales and integers as kernels round them. Numbers alone, no ops: what only converts data holds nothing else.

/** To the nearest integer, even in ties. */
export function toEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 !== 0) ? down + 1 : down;
}

/** The factor from one scale to another, divided in float32 as kernels do. */
export const ratio = (a: number, b: number): number => Math.fround(Math.fround(a) / Math.fround(b));
export const product = (a: number, b: number): number => Math.fround(Math.fround(a) * Math.fround(b));
/** a b / c, each step rounded to float32. */
export const scaleRatio = (a: number, b: number, c: number): number => ratio(product(a, b), c);
