// Numbers of weights, and those numbers as int8.
import type { Node, Value } from "../graph/value.js";
import { toEven } from "../ops/quantized/arithmetic.js";
import type { Model } from "../program/model.js";
import { Program } from "../program/program.js";
import type { TypedArray } from "../tensor.js";

/**
 * int8 of the last n of each row, symmetric, with a scale for each, and biases at the scale of sums.
 * @param input scale of what goes in
 * @param scales [n] where they are known; else the largest weight of each is 127
 */
export function weightsOf(kernel: TypedArray, bias: Float64Array, input: number, scales?: Float32Array) {
  const n = bias.length;
  const scale = scales?.slice() ?? new Float32Array(n);
  if (!scales) for (let i = 0; i < kernel.length; i++) scale[i % n] = Math.max(scale[i % n], Math.abs(kernel[i]) / 127);
  // Biases fit 30 bits.
  for (let j = 0; j < n; j++) scale[j] = Math.max(scale[j], Math.abs(bias[j]) / input / 2 ** 30) || 1;
  const clamped = (x: number) => Math.min(Math.max(toEven(x), -127), 127);
  return {
    kernel: Int8Array.from({ length: kernel.length }, (_, i) => clamped(kernel[i] / scale[i % n])),
    scale,
    bias: Int32Array.from(bias, (b, j) => toEven(b / (input * scale[j]))),
  };
}

/** The numbers of values that are made of weights. */
export function numbersOf(model: Model, values: readonly Value[], fixed: ReadonlySet<Node>): Map<Value, TypedArray> {
  const wanted = [...new Set(values)].filter((value) => fixed.has(value.node));
  const program = new Program(model.store, { inputs: [], outputs: wanted, effects: [] });
  program.run();
  const { outputs } = program.layout.graph;
  const numbers = new Map(wanted.map((value, i) => [value, program.view(outputs[i]).slice()]));
  program.free();
  return numbers;
}
