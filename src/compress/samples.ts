// Samples in batches, as each of several models takes them.
import { isTensor } from "../data/stack.js";
import { ShapeError, told, typeError } from "../errors.js";
import { quantizeData } from "../ops/quantized/data.js";
import type { Model } from "../program/model.js";
import type { Tensor } from "../tensor.js";
import { type Fields, fieldsOfBatches, isDataset, type TrainingData } from "../train/source.js";

/** Inputs, and what is right for the first output. */
export interface Samples {
  readonly x: readonly Tensor[];
  readonly y?: Tensor | undefined;
}

export async function* batchesOf(
  model: Model,
  data: TrainingData,
  batchSize: number,
  op: string,
): AsyncGenerator<Samples> {
  const [{ name }] = model.outputs;
  const firstOf = (y: Fields["y"] | Tensor | undefined): Tensor | undefined =>
    isTensor(y) || y === undefined ? y : Array.isArray(y) ? y[0] : (y as Record<string, Tensor>)[name];
  if (isDataset(data)) {
    const rank = model.inputs[0].shape.length;
    for await (const { fields } of fieldsOfBatches(data.elements(0), { rank, batchSize, op }))
      yield { x: fields.x, y: firstOf(fields.y) };
    return;
  }
  const x = [data?.x].flat() as Tensor[];
  if (!x.every(isTensor)) throw typeError({ op, expected: "data { x, y } or a dataset", actual: told(data) });
  const y = firstOf(data.y as Fields["y"] | undefined);
  const batched = x.filter((_, i) => model.inputs[i]?.batched !== false);
  const count = batched[0]?.shape[0] ?? 1;
  const other = [...batched, ...(y ? [y] : [])].find(({ shape }) => shape[0] !== count);
  if (other)
    throw new ShapeError({ op, expected: `${count} samples in all of x and y`, actual: String(other.shape[0]) });
  for (let from = 0; from < count; from += batchSize) {
    const cut = (each: Tensor): Tensor => part(each, from, Math.min(count, from + batchSize));
    yield { x: x.map((each, i) => (model.inputs[i]?.batched === false ? each : cut(each))), y: y && cut(y) };
  }
}

export function part({ data, shape: [count, ...shape], dtype }: Tensor, from: number, to: number): Tensor {
  const size = data.length / count;
  return { data: data.subarray(from * size, to * size), shape: [to - from, ...shape], dtype };
}

export function joined(parts: readonly Tensor[]): Tensor {
  const [{ shape, dtype }] = parts;
  const data = Float32Array.from(parts.flatMap((each) => Array.from<number>(each.data)));
  return { data, shape: [parts.reduce((n, each) => n + each.shape[0], 0), ...shape.slice(1)], dtype };
}

/** Real numbers as the integers that a quantized model takes. */
export const fedTo = ({ inputs }: Model, x: readonly Tensor[]): Tensor[] =>
  x.map((each, i) => {
    const { dtype, quantization } = inputs[i] ?? {};
    if (!dtype || !quantization || each.dtype !== "float32") return each;
    return { ...each, data: quantizeData(each.data, { dtype, quantization }), dtype };
  });
