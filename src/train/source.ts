// Where the batches of an epoch come from: examples in memory, whose samples are picked by index, or a dataset, element by element.
import type { Dataset } from "../data/dataset.js";
import { asTensor, isNumeric, stack } from "../data/stack.js";
import { rangeError, typeError, withFacts } from "../errors.js";
import type { Model } from "../program/model.js";
import type { Tensor } from "../tensor.js";
import { type CheckedExamples, checkExamples, type Examples, type Objective } from "./objective.js";

/**
 * What an element of a dataset has to be: as an object, or as what `zip` makes. `x` and `y` hold one example or a batch; where a model has
 * several outputs, `y` (and `sampleWeight`) is a list, or an object by their names.
 */
export type Example =
  | { readonly x: unknown; readonly y: unknown; readonly sampleWeight?: unknown }
  | readonly [x: unknown, y: unknown, sampleWeight?: unknown];

/** Examples as `fit` and `evaluate` take them: in memory, or described. */
export type TrainingData = Examples | Dataset<Example>;

/** Some of the samples of checked examples. */
export interface Batch {
  readonly examples: CheckedExamples;
  readonly samples: Uint32Array;
  /** Of the whole epoch; undefined where only its end will tell. */
  readonly steps: number | undefined;
}

/** @param epoch from 1 */
export type Batches = (epoch: number) => Iterable<Batch> | AsyncIterable<Batch>;

export const isDataset = (data: TrainingData): data is Dataset<Example> =>
  typeof (data as { elements?: unknown } | undefined)?.elements === "function";

interface Reading {
  readonly batchSize: number;
  readonly op: string;
  /** Weights of the samples of a batch; default those it has. */
  readonly weigh?: (examples: CheckedExamples) => readonly Tensor[];
}

/** Batches of either, in their own order. */
export const open = (model: Model, data: TrainingData, objective: Objective, reading: Reading): Batches =>
  isDataset(data)
    ? fromDataset(model, data, objective, reading)
    : fromMemory(checkExamples(model, data, objective, reading.op), reading.batchSize);

/** Batches of examples in memory. @param order of the samples in an epoch; default their own */
export const fromMemory = (
  examples: CheckedExamples,
  batchSize: number,
  order = (_epoch: number) => firstNumbers(examples.count),
): Batches =>
  function* (epoch) {
    const all = order(epoch);
    const steps = Math.ceil(all.length / batchSize);
    for (let step = 0; step < steps; step++) {
      yield { examples, samples: all.subarray(step * batchSize, (step + 1) * batchSize), steps };
    }
  };

/**
 * Batches of a dataset, each checked when its turn comes. An element with one axis more than the model's input is a batch; others are
 * examples, of which `batchSize` are put together.
 * @throws {RangeError} at once for a dataset without an end; while reading, what is wrong with a batch, by the number of its sample
 */
export function fromDataset(
  model: Model,
  data: Dataset<Example>,
  objective: Objective,
  { batchSize, op, weigh = ({ weights }) => weights }: Reading,
): Batches {
  const { size } = data;
  if (size === Number.POSITIVE_INFINITY) {
    throw rangeError({
      op,
      expected: "a dataset with an end: take(n) says how many an epoch has",
      actual: "an endless one",
    });
  }
  return async function* (epoch) {
    const rank = model.inputs[0].shape.length;
    let any = false;
    for await (const { fields, start, batched } of fieldsOfBatches(data.elements(epoch - 1), { rank, batchSize, op })) {
      const examples = numbered(start, () => checkExamples(model, fields as unknown as Examples, objective, op));
      const weights = weigh(examples);
      const steps = size === undefined || batched ? size : Math.ceil(size / batchSize);
      any = true;
      yield { examples: { ...examples, weights }, samples: firstNumbers(examples.count), steps };
    }
    if (!any) throw rangeError({ op, expected: "at least one sample", actual: `none in epoch ${epoch}` });
  };
}

/**
 * What the elements of a dataset hold, in batches: elements that are none are put together.
 * @param how.rank of the model's first input, without the batch
 */
export async function* fieldsOfBatches(
  elements: AsyncIterable<Example>,
  { rank, batchSize, op }: { rank: number; batchSize: number; op: string },
): AsyncGenerator<{ readonly fields: Fields; readonly start: number; readonly batched: boolean }> {
  let [start, index] = [0, 0];
  let batched: boolean | undefined;
  let held: Fields[] = [];
  for await (const element of elements) {
    const fields = fieldsOf(element, index++, op);
    batched ??= fields.x[0].shape.length > rank;
    if (batched) {
      const [count] = fields.x[0].shape;
      if (count > 0) yield { fields, start, batched };
      start += count;
    } else if (held.push(fields) === batchSize) {
      yield { fields: stack(held, start) as Fields, start, batched };
      start += held.length;
      held = [];
    }
  }
  if (held.length > 0) yield { fields: stack(held, start) as Fields, start, batched: false };
}

/** The same batches; an abort ends them also while one is awaited that may never come. */
export async function* until(
  signal: AbortSignal | undefined,
  batches: Iterable<Batch> | AsyncIterable<Batch>,
): AsyncGenerator<Batch> {
  if (signal === undefined || Symbol.iterator in batches) return yield* batches;
  const source = batches[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await orAborted(signal, source.next());
      if (next.done) return;
      yield next.value;
    }
  } finally {
    source.return?.(undefined)?.catch(() => {}); // not awaited: it, too, may never come
  }
}

const orAborted = <T>(signal: AbortSignal, promise: Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });

/** In a list, or by the name of an output. */
type Tensors = Tensor[] | { [output: string]: Tensor };
export type Fields = { x: Tensor[]; y: Tensors; sampleWeight?: Tensors };

function fieldsOf(element: Example, index: number, op: string): Fields {
  const given = Array.isArray(element) ? { x: element[0], y: element[1], sampleWeight: element[2] } : element;
  const { x, y, sampleWeight } = (given ?? {}) as { x?: unknown; y?: unknown; sampleWeight?: unknown };
  if (x === undefined || y === undefined) {
    const actual = `no ${x === undefined ? "x" : "y"} (element ${index})`;
    throw typeError({ op, expected: "elements { x, y } or [x, y]", actual });
  }
  const list = (field: unknown): Tensor[] => {
    const all: readonly unknown[] = isNumeric(field) || !Array.isArray(field) ? [field] : field;
    return all.map((each) => asTensor(each, index));
  };
  const named = (field: unknown): Tensors =>
    isNumeric(field) || Array.isArray(field) || typeof field !== "object" || field === null
      ? list(field)
      : Object.fromEntries(Object.entries(field).map(([name, each]) => [name, asTensor(each, index)]));
  const weight = sampleWeight === undefined ? {} : { sampleWeight: named(sampleWeight) };
  return { x: list(x), y: named(y), ...weight };
}

const firstNumbers = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, i) => i);

/** What a check says of a sample of the batch that begins with sample `start`, said of the sample of the epoch. */
function numbered<T>(start: number, check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw withFacts(error, (facts) => {
      const actual = facts.actual ?? "others";
      const sample = /\(sample (\d+)\)/.exec(actual);
      const whole = sample
        ? actual.replace(sample[0], `(sample ${start + Number(sample[1])})`)
        : `${actual} (from sample ${start} on)`;
      return { ...facts, actual: whole };
    });
  }
}
