// How much each sample counts in the loss.
import { rangeError, ShapeError, UnsupportedError } from "../errors.js";
import { show } from "../shape.js";
import { type Tensor, tensor } from "../tensor.js";

/** One number of at least 0 per sample. */
export type SampleWeight = Tensor | Float32Array | readonly number[];

/** What samples of a class count, by its number; classes that are not named count 1. */
export type ClassWeight = Readonly<Record<number, number>>;

/** Sample weights as a tensor [count]. @throws {ShapeError} or {RangeError} for others */
export function checkWeights(given: SampleWeight, count: number, op: string): Tensor {
  const numbers = "data" in given ? given.data : given;
  const shape = "data" in given ? given.shape : [given.length];
  if (numbers.length !== count || shape.length > 2 || shape[0] !== count)
    throw new ShapeError({ op, expected: `sampleWeight [${count}]`, actual: show(shape) });
  const weights = Float32Array.from(numbers);
  const wrong = weights.findIndex((weight) => !(weight >= 0 && weight - weight === 0));
  if (wrong >= 0)
    throw rangeError({
      op,
      expected: "sampleWeight of finite numbers of at least 0",
      actual: `${numbers[wrong]} (sample ${wrong})`,
    });
  return tensor(weights, [count]);
}

/**
 * Sample weights times the weight of each sample's class: of its label, or of the largest of its row of targets.
 * @throws {UnsupportedError} for several outputs or several labels per sample; {RangeError} for weights below 0
 */
export function classWeights(
  y: readonly Tensor[],
  classWeight: ClassWeight | undefined,
  weights: readonly Tensor[],
  op: string,
): readonly Tensor[] {
  if (classWeight === undefined || classWeight === null) return weights;
  const [{ data, shape }] = y;
  if (y.length > 1 || shape.length > 2)
    throw new UnsupportedError(`${op}: classWeight needs one output with one class per sample; use sampleWeight`);
  for (const [label, weight] of Object.entries(classWeight)) {
    if (!(Number.isFinite(weight) && weight >= 0))
      throw rangeError({ op, expected: `classWeight of class ${label} to be at least 0`, actual: String(weight) });
  }
  const [count] = shape;
  const width = shape[1] ?? 1;
  const labelOf = (sample: number): number => {
    const row = data.subarray(sample * width, (sample + 1) * width);
    return width === 1 ? row[0] : row.indexOf(Math.max(...row));
  };
  const made = Float32Array.from(
    { length: count },
    (_, i) => (classWeight[labelOf(i)] ?? 1) * (weights[0]?.data[i] ?? 1),
  );
  return [tensor(made, [count])];
}
