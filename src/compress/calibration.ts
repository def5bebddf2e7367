// Calibration: a program whose outputs are the values to be observed, run over what a model will see.
import { rangeError, told, typeError } from "../errors.js";
import type { Graph, Value } from "../graph/value.js";
import { remake, rewrite } from "../graph/walk.js";
import { inputOp, withBatch } from "../ops/leaf.js";
import type { Model } from "../program/model.js";
import { Program } from "../program/program.js";
import { type Tensor, type TypedArray, tensor } from "../tensor.js";
import type { Range } from "./integers.js";
import { type Observer, observers, type RangeMethod } from "./ranges.js";

/** Batches of inputs: one tensor, a list of them for a model of several inputs, or a dataset whose elements are batches, `{ x }` or bare. */
export type Calibration = Tensor | readonly Tensor[] | AsyncIterable<unknown>;

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
 * Runs a graph of a model over calibration data.
 * @param graph over the model's inputs
 * @param see what becomes of its outputs, batch by batch; views that hold until it returns
 * @returns how many samples there were
 */
export async function forEachBatch(
  model: Model,
  graph: Graph,
  calibration: Calibration,
  op: string,
  see: (outputs: readonly TypedArray[], feeds: readonly Tensor[]) => void,
): Promise<number> {
  const programs = new Map<number, Program>();
  let samples = 0;
  try {
    for await (const feeds of batches(model, calibration, op)) {
      const batch = feeds[0].shape[0];
      const program = programs.get(batch) ?? new Program(model.store, atBatch(graph, batch));
      programs.set(batch, program);
      program.bind();
      const { inputs, outputs } = program.layout.graph;
      feeds.forEach(({ data }, i) => {
        program.view(inputs[i]).set(data);
      });
      program.run();
      samples += batch;
      see(
        outputs.map((value) => program.view(value)),
        feeds,
      );
    }
  } finally {
    for (const program of programs.values()) program.free();
  }
  return samples;
}

/**
 * The ranges of `values`, which a graph of the model has.
 * @param percentile of the method `percentile`
 * @throws {RangeError} when there is nothing to observe, an input never changes, or a value is not finite
 */
export async function observe(
  model: Model,
  graph: Graph,
  values: readonly Value[],
  calibration: Calibration,
  op: string,
  method: RangeMethod = "minMax",
  percentile = 100,
): Promise<Map<Value, Range>> {
  const seen = new Map(values.map((value): [Value, Observer] => [value, observers[method](op, percentile)]));
  const fed = model.inputs.map(() => observers.minMax(op, 100));
  const inner = values.filter((value) => !graph.inputs.includes(value));
  const samples = await forEachBatch(model, { ...graph, outputs: inner }, calibration, op, (outputs, feeds) => {
    feeds.forEach(({ data }, i) => {
      fed[i].see(data);
      seen.get(graph.inputs[i])?.see(data);
    });
    inner.forEach((value, i) => {
      seen.get(value)?.see(outputs[i]);
    });
  });
  if (samples === 0) throw rangeError({ op, expected: "at least one sample of calibration", actual: "none" });
  model.inputs.forEach(({ name, dtype }, i) => {
    const { low, high } = fed[i].range() ?? { low: 0, high: 1 };
    if (low === high && dtype === "float32")
      throw rangeError({ op, layer: name, expected: "calibration that varies", actual: `only ${low}` });
  });
  return new Map([...seen].map(([value, observer]) => [value, observer.range() ?? { low: 0, high: 0 }]));
}

const atBatch = (graph: Graph, batch: number): Graph =>
  rewrite(graph, (node, inputs) =>
    node.op === inputOp && node.outputs[0].shape[0] !== batch
      ? [withBatch(node.outputs[0], batch)]
      : remake(node, inputs),
  );
