// Copies between arrays with any steps, which transpose, slice, pad, concat, split, tile and flip are made of.
import type { Emit, Loop } from "../graph/op.js";
import type { Value } from "../graph/value.js";
import type { Shape } from "../shape.js";
import { bytesOf } from "../tensor.js";

/** Elements from one index of each axis to the next, in row-major order. */
export function stepsOf(shape: Shape): number[] {
  const steps = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) steps[axis] = steps[axis + 1] * shape[axis + 1];
  return steps;
}

/** The same copy in as few loops as possible: those that continue each other become one. */
export function collapse(loops: readonly Loop[]): Loop[] {
  const made: Loop[] = [];
  for (const loop of loops) {
    if (loop.size === 1) continue;
    const outer = made.at(-1);
    if (outer && outer.x === loop.x * loop.size && outer.y === loop.y * loop.size)
      made[made.length - 1] = { ...loop, size: outer.size * loop.size };
    else made.push(loop);
  }
  return made;
}

/** How many elements a copy takes as they lie, one after the other; 0 where they are apart. */
export function runOf(loops: readonly Loop[]): number {
  const [{ size, x, y } = { size: 1, x: 1, y: 1 }, inner] = collapse(loops);
  return x === 1 && y === 1 && !inner ? size : 0;
}

/** Loops that one kernel call runs. */
const LOOPS = 5;

/**
 * Emits y[atY + i . y] = x[atX + i . x] for every index i of the loops, outermost first; positions and steps in elements. More loops
 * than the kernel has are several calls.
 */
export function emitCopy(emit: Emit, loops: readonly Loop[], atX: number, atY: number, x: Value, y: Value): void {
  if (loops.some(({ size }) => size === 0)) return;
  const width = bytesOf(x.dtype);
  if (width === 2) {
    // Elements of two bytes are rows of two elements of one.
    const bytes = loops.map((loop) => ({ size: loop.size, x: 2 * loop.x, y: 2 * loop.y }));
    emitBytes(emit, [...bytes, { size: 2, x: 1, y: 1 }], 2 * atX, 2 * atY, x, y, "x8_strided_copy");
  } else emitBytes(emit, loops, atX, atY, x, y, width === 4 ? "x32_strided_copy" : "x8_strided_copy");
}

function emitBytes(
  emit: Emit,
  loops: readonly Loop[],
  atX: number,
  atY: number,
  x: Value,
  y: Value,
  kernel: "x8_strided_copy" | "x32_strided_copy",
): void {
  const made = collapse(loops);
  // Where the target is contiguous and the source along another loop, those two are a transposition: they go innermost.
  const along = made.findIndex((loop) => loop.x === 1);
  if (along >= 0 && along < made.length - 1 && made.at(-1)?.y === 1)
    made.splice(made.length - 2, 0, ...made.splice(along, 1));
  call(made, atX, atY);

  function call(rest: readonly Loop[], fromX: number, fromY: number): void {
    if (rest.length > LOOPS) {
      const [first, ...inner] = rest;
      for (let i = 0; i < first.size; i++) call(inner, fromX + i * first.x, fromY + i * first.y);
      return;
    }
    const outer = Array.from({ length: LOOPS - rest.length }, () => ({ size: 1, x: 0, y: 0 }));
    const [a, b, c, d, e] = [...outer, ...rest];
    const sizes = [a.size, b.size, c.size, d.size, e.size] as const;
    const steps = [a.x, b.x, c.x, d.x, e.x, a.y, b.y, c.y, d.y, e.y] as const;
    emit.call(kernel, ...sizes, ...steps, fromX, fromY, x, y);
  }
}
