// What a file from a stranger may ask for: memory and arithmetic in proportion to its size. Everything here is known from shapes, before
// anything is allocated or run.
import { FormatError } from "../../errors.js";
import type { Node, Value } from "../../graph/value.js";
import { topological } from "../../graph/walk.js";
import { sizeOf } from "../../shape.js";
import { bytesOf } from "../../tensor.js";

/** Bytes of all arrays of a model together: so many, and so many for each byte of its file. A film of 1080 lines in 50 KB of weights fits. */
const MEMORY = { free: 2 ** 27, each: 2 ** 15 };
/** Operations of one run. The convolutions of image classifiers do 100 to 50,000 for each byte of weights. */
const WORK = { free: 2 ** 31, each: 2 ** 18 };
/** Kernel calls that one operator may become: arrays of more than five axes are copied in several. */
const CALLS = 4096;
/** Axes that one kernel call copies. */
const LOOPS = 5;

/**
 * @param roots what the model computes
 * @param bytes of the file
 * @throws {FormatError} when it is more than a file of that size may ask for
 */
export function checkLimits(roots: readonly Value[], bytes: number): void {
  let [memory, work] = [0, 0];
  for (const node of topological(roots)) {
    if (node.inputs.length === 0 || node.op.view) continue;
    const made = node.outputs.reduce((sum, { shape, dtype }) => sum + sizeOf(shape) * bytesOf(dtype), 0);
    const read = node.inputs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    memory += made + bordersOf(node);
    work += made + read + (node.op.flops?.(node, node.attrs) ?? 0);
    const calls = Math.max(...node.outputs.map(callsOf));
    if (calls > CALLS) throw new FormatError(`tflite: ${node.op.name}: expected at most ${CALLS} copies, got ${calls}`);
  }
  check("bytes of arrays", memory, MEMORY, bytes);
  check("operations", work, WORK, bytes);
}

function check(what: string, asked: number, { free, each }: typeof MEMORY, bytes: number): void {
  if (asked <= free + each * bytes) return;
  const most = `${free} ${what} and ${each} for each byte of the file`;
  throw new FormatError(`tflite: expected at most ${most}, got ${asked} for ${bytes} bytes`);
}

/** Bytes of an image with all that its windows reach beyond it: kernels take it so. */
function bordersOf({ inputs: [x, kernel], attrs }: Node): number {
  const { dilations } = attrs as { dilations?: readonly number[] };
  if (!Array.isArray(dilations) || x.shape.length !== 4 || kernel?.shape.length !== 4) return 0;
  const [batch, h, w, c] = x.shape;
  const [rows, columns] = [h, w].map((n, i) => n + (kernel.shape[i] - 1) * (dilations[i] as number));
  return batch * rows * columns * c * bytesOf(x.dtype);
}

/** An upper bound of the calls that a copy takes: one for each index of the axes that one call does not go through. */
function callsOf({ shape }: Value): number {
  const axes = shape.filter((d) => d > 1);
  if (axes.length <= LOOPS) return 1;
  return sizeOf(axes.toSorted((a, b) => b - a).slice(0, axes.length - LOOPS));
}
