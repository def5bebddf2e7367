// How near numbers must come to those of an oracle.
import { expect } from "vitest";

/** Within `tolerance` of the largest finite number expected; NaN and infinities must agree. */
export function expectNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  const size = Math.max(...Array.from(expected, Math.abs).filter(Number.isFinite), 1e-30);
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(actual[i], expected[i])) continue; // NaN and infinities among them
    expect(Math.abs(actual[i] - expected[i]), `element ${i}: ${actual[i]} for ${expected[i]}`).toBeLessThanOrEqual(
      tolerance * size,
    );
  }
}
