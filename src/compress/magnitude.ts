// Which weights go: those of the smallest magnitude (Han and others 2015), one by one or in blocks of four neighbouring outputs.
import { rangeError } from "../errors.js";
import type { Tensor } from "../tensor.js";

/** Four outputs at a time: what a vector of the sparse kernels holds (assembly/sparseconv.ts); they share where their input is. */
export const BLOCK = 4;

/** Weights of one layer and what is to be left out of them, as a share of 1. */
export interface Candidate {
  readonly name: string;
  readonly tensor: Tensor;
  readonly sparsity: number;
  /** What was left out before and stays so: 1 for each weight that is kept. */
  readonly kept?: Uint8Array | undefined;
}

/** Runs of weights that go together: blocks within the last axis. */
interface Units {
  readonly length: number;
  /** The first weight of each unit, and one behind the last. */
  readonly starts: Uint32Array;
  /** The mean of squares of each, below 0 where it was left out before. */
  readonly scores: Float64Array;
}

function unitsOf({ name, tensor: { data, shape }, kept }: Candidate, block: number, op: string): Units {
  const n = shape[shape.length - 1];
  const perRow = Math.ceil(n / block);
  const length = n === 0 ? 0 : (data.length / n) * perRow;
  const starts = new Uint32Array(length + 1).fill(data.length);
  const scores = new Float64Array(length);
  for (let u = 0; u < length; u++) {
    const column = (u % perRow) * block;
    starts[u] = ((u / perRow) | 0) * n + column;
    const size = Math.min(block, n - column);
    let sum = 0;
    for (let i = starts[u]; i < starts[u] + size; i++) sum += data[i] * data[i];
    if (!Number.isFinite(sum))
      throw rangeError({
        op,
        layer: name,
        expected: "finite weights",
        actual: String(data.find((w) => !Number.isFinite(w))),
      });
    scores[u] = kept?.[starts[u]] === 0 ? -1 : sum / size;
  }
  return { length, starts, scores };
}

/** How many units go: those of the smallest scores, the first of equal ones. @returns whether each stays */
function smallest(scores: Float64Array, share: number): Uint8Array {
  const count = Math.round(share * scores.length);
  const stays = new Uint8Array(scores.length).fill(1);
  if (count === 0) return stays;
  const limit = scores.slice().sort()[count - 1];
  let left = count;
  for (let u = 0; u < scores.length; u++) if (scores[u] < limit) [stays[u], left] = [0, left - 1];
  for (let u = 0; u < scores.length && left > 0; u++) if (scores[u] === limit) [stays[u], left] = [0, left - 1];
  return stays;
}

/**
 * Which weights are kept, 1 for each, by name.
 * @param options.global one order for all layers, and the sparsity of the first
 * @throws {RangeError} for weights that are not finite
 */
export function masksOf(
  candidates: readonly Candidate[],
  { block, global }: { block: number; global: boolean },
  op: string,
): Map<string, Uint8Array> {
  const units = candidates.map((candidate) => unitsOf(candidate, block, op));
  const all = new Float64Array(global ? units.reduce((sum, { length }) => sum + length, 0) : 0);
  let at = 0;
  for (const { scores } of global ? units : []) {
    all.set(scores, at);
    at += scores.length;
  }
  const stays = global && candidates.length > 0 ? smallest(all, candidates[0].sparsity) : undefined;
  let from = 0;
  return new Map(
    candidates.map(({ name, sparsity, tensor: { data } }, i) => {
      const { starts, scores, length } = units[i];
      const own = stays?.subarray(from, from + length) ?? smallest(scores, sparsity);
      from += length;
      const mask = new Uint8Array(data.length);
      for (let u = 0; u < length; u++) mask.fill(own[u], starts[u], starts[u + 1]);
      return [name, mask];
    }),
  );
}
