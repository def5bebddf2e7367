// Why a loss is not finite: the first number in the program that is not.
import { rangeError } from "../errors.js";
import type { Value } from "../graph/value.js";
import type { Model } from "../program/model.js";
import type { Program } from "../program/program.js";
import { show } from "../shape.js";

/** Position of the first NaN or infinity, or -1. x - x is 0 for every finite number and NaN for the others. */
const firstNonFinite = (numbers: ArrayLike<number>): number => {
  for (let i = 0; i < numbers.length; i++) if (numbers[i] - numbers[i] !== 0) return i;
  return -1;
};

const position = ({ shape }: Value, flat: number): number[] =>
  shape.map((size, axis) => Math.floor(flat / shape.slice(axis + 1).reduce((n, d) => n * d, 1)) % size);

/**
 * The error for a step whose loss is not finite. The weights and the inputs of the step are still there: weights are looked at first, then
 * the program runs once more, call by call, up to the first result that is not finite.
 */
export function lossError(op: string, model: Model, program: Program, loss: number, step: number): RangeError {
  const { layer, what } = firstCulprit(model, program);
  return rangeError({
    op,
    ...(layer === undefined ? {} : { layer }),
    expected: `a finite loss at step ${step}`,
    actual: `${loss}; the first number that is not finite is ${what}; a smaller learning rate or clipping may help`,
  });
}

function firstCulprit(model: Model, program: Program): { layer?: string; what: string } {
  for (const [name, value] of model.names.states) {
    const numbers = model.store.view(value);
    const at = value.dtype === "float32" ? firstNonFinite(numbers) : -1;
    if (at >= 0)
      return {
        layer: name,
        what: `${numbers[at]} in the weight itself at ${show(position(value, at))} of ${show(value.shape)}`,
      };
  }
  let found: { value: Value; at: number; number: number } | undefined;
  const call = program.replay(({ node }) => {
    for (const value of node.outputs) {
      if (value.dtype !== "float32") continue;
      const numbers = program.view(value);
      const at = firstNonFinite(numbers);
      if (at >= 0) found = { value, at, number: numbers[at] };
    }
    return found !== undefined;
  });
  if (call === undefined || found === undefined) return { what: "the loss" };
  const { value, at, number } = found;
  const layer =
    call.node.layer && (model.names.layers.get(call.node.layer) ?? call.node.layer.name ?? call.node.layer.kind);
  const what = `${number} in the result of ${call.node.op.name} ${show(value.shape)} at ${show(position(value, at))}`;
  return layer === undefined ? { what } : { layer, what };
}
