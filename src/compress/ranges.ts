// What values a model's floats take on calibration data: by a program whose outputs are the values to be observed.
import { rangeError, told, typeError } from "../errors.js";
import type { Quantization } from "../graph/attrs.js";
import type { Graph, Value } from "../graph/value.js";
import { remake, rewrite } from "../graph/walk.js";
import { inputOp, withBatch } from "../ops/leaf.js";
import { toEven } from "../ops/quantized/arithmetic.js";
import type { Model } from "../program/model.js";
import { Program } from "../program/program.js";
import { type Tensor, type TypedArray, tensor } from "../tensor.js";

/** How ranges are made of what is observed: the extremes, or means of the extremes of batches, each new one weighing 0.1. */
export type RangeMethod = "minMax" | "movingAverage";
export const rangeMethods: readonly RangeMethod[] = ["minMax", "movingAverage"];

/** Batches of inputs: one tensor, a list of them for a model of several inputs, or a dataset whose elements are batches, `{ x }` or bare. */
export type Calibration = Tensor | readonly Tensor[] | AsyncIterable<unknown>;

export interface Range {
  readonly low: number;
  readonly high: number;
}

/** Samples that go through at a time. */
const BATCH = 32;

const isTensor = (x: unknown): x is Tensor => ArrayBuffer.isView((x as Tensor | undefined)?.data);

async function* batches(model: Model, calibration: Calibration, op: string): AsyncGenerator<Tensor[]> {
  const elements = isTensor(calibration) || Array.isArray(calibration) ? [calibration] : calibration;
  if (
    typeof (elements as AsyncIterable<unknown> | undefined)?.[Symbol.asyncIterator] !== "function" &&
    !Array.isArray(elements)
  )
    throw typeError({
      op,
      expected: "calibration to be a tensor, a list of them or a dataset",
      actual: told(calibration),
    });
  for await (const element of elements as AsyncIterable<unknown>) {
    const x = isTensor(element) || Array.isArray(element) ? element : (element as { x?: unknown } | null)?.x;
    const feeds = model.feeds(x as Tensor | readonly Tensor[], op);
    for (let from = 0; from < feeds[0].shape[0]; from += BATCH) {
      yield feeds.map(({ data, shape, dtype }) => {
        const each = data.length / shape[0];
        const part = data.slice(from * each, (from + BATCH) * each) as TypedArray;
        return tensor(part, [part.length / each, ...shape.slice(1)], dtype);
      });
    }
  }
}

/**
 * The range of each of a graph's inputs and of `values`.
 * @throws {RangeError} when there is nothing to observe, an input never changes, or a value is not finite
 */
export async function observe(
  model: Model,
  graph: Graph,
  values: readonly Value[],
  calibration: Calibration,
  method: RangeMethod,
  op: string,
): Promise<Map<Value, Range>> {
  const ranges = new Map<Value, Range>();
  const programs = new Map<number, Program>();
  const see = (value: Value, data: TypedArray) => {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = 0; i < data.length; i++) {
      const v = data[i];
      if (!(v - v === 0)) throw rangeError({ op, expected: "finite values in calibration", actual: String(v) });
      if (v < low) low = v;
      if (v > high) high = v;
    }
    const known = ranges.get(value);
    if (known && method === "movingAverage") {
      low = 0.9 * known.low + 0.1 * low;
      high = 0.9 * known.high + 0.1 * high;
    } else if (known) {
      low = Math.min(low, known.low);
      high = Math.max(high, known.high);
    }
    ranges.set(value, { low, high });
  };
  try {
    for await (const feeds of batches(model, calibration, op)) {
      const batch = feeds[0].shape[0];
      const program = programs.get(batch) ?? new Program(model.store, atBatch({ ...graph, outputs: values }, batch));
      programs.set(batch, program);
      program.bind();
      const { inputs, outputs } = program.layout.graph;
      feeds.forEach(({ data }, i) => {
        program.view(inputs[i]).set(data);
        see(graph.inputs[i], data);
      });
      program.run();
      values.forEach((value, i) => {
        see(value, program.view(outputs[i]));
      });
    }
  } finally {
    for (const program of programs.values()) program.free();
  }
  if (ranges.size === 0) throw rangeError({ op, expected: "at least one sample of calibration", actual: "none" });
  graph.inputs.forEach((value, i) => {
    const { low, high } = ranges.get(value) as Range;
    if (low === high && value.dtype === "float32")
      throw rangeError({ op, layer: model.inputs[i].name, expected: "calibration that varies", actual: `only ${low}` });
  });
  return ranges;
}

const atBatch = (graph: Graph, batch: number): Graph =>
  rewrite(graph, (node, inputs) => (node.op === inputOp ? [withBatch(node.outputs[0], batch)] : remake(node, inputs)));

/** int8 for a range, in which 0 has an integer of its own. */
export function quantizationOf(range: Range): Quantization {
  const [low, high] = [Math.min(range.low, 0), Math.max(range.high, 0)];
  const scale = Math.max(Math.fround((high - low) / 255), 2 ** -100);
  return { scale, zeroPoint: Math.min(Math.max(toEven(-128 - low / scale), -128), 127) };
}
