// Examples in batches: which samples, in which order, copied straight into a program's inputs.

import { rangeError } from "../errors.js";
import type { Value } from "../graph/value.js";
import type { Program } from "../program/program.js";
import { show, sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";

/** Copies samples into the memory of a program's inputs, converting numbers where the types differ. */
export function feed(program: Program, inputs: readonly Value[], data: readonly Tensor[], samples: Uint32Array): void {
  program.bind();
  inputs.forEach((value, k) => {
    const view = program.view(value);
    const { data: numbers, shape } = data[k];
    const size = sizeOf(shape.slice(1));
    samples.forEach((sample, row) => {
      view.set(numbers.subarray(sample * size, (sample + 1) * size), row * size);
    });
  });
}

/** @throws {RangeError} for the first NaN or infinity, naming the sample it is in */
export function checkFinite({ data, shape }: Tensor, op: string, what: string): void {
  if (!(data instanceof Float32Array)) return;
  for (let i = 0; i < data.length; i++) {
    // x - x is 0 for every finite number and NaN for the others
    if (data[i] - data[i] === 0) continue;
    const sample = Math.floor(i / Math.max(1, sizeOf(shape.slice(1))));
    throw rangeError({
      op,
      expected: `finite numbers in ${what} ${show(shape)}`,
      actual: `${data[i]} (sample ${sample})`,
    });
  }
}
