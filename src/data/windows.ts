// Windows over a time series: stretches of it to classify, to reconstruct or to forecast from.
import { checkKeys, rangeError, ShapeError, told, typeError } from "../errors.js";
import { show, sizeOf } from "../shape.js";
import { type Tensor, tensor } from "../tensor.js";
import { Dataset } from "./dataset.js";
import { isTensor, row } from "./stack.js";
import { whole } from "./whole.js";

export interface WindowOptions {
  /** Steps in a window; Keras' `sequence_length`. */
  length: number;
  /** Steps from the start of a window to the start of the next; default 1. Keras' `sequence_stride`. */
  stride?: number;
  /** A window takes every n-th step; default 1. Keras' `sampling_rate`. */
  samplingRate?: number;
  /** Where the first window starts; default 0. */
  startIndex?: number;
  /** No step from here on is read; default the end of the series. */
  endIndex?: number;
}

/** A window and what follows it. */
export interface Forecast {
  /** float32 [length, ...] */
  readonly x: Tensor;
  /** float32 [horizon, ...], or the window's row of `targets` */
  readonly y: Tensor;
}

/**
 * Windows over a series, as Keras' `timeseries_dataset_from_array`.
 * @param series [steps, ...], or an array of numbers; a row is one step
 * @param options.horizon with it an element is `{ x, y }`, `y` the so many steps that come after the window, at its sampling rate
 * @param options.targets with it an element is `{ x, y }`, `y` the row of `targets` at the window's first step, as in Keras
 * @returns a dataset with random access: windows [length, ...] as tensors, or `{ x, y }`. Without gaps they share the series' memory
 * @throws {RangeError} for a series too short for one window and for options out of range; {ShapeError} for a scalar
 * @example
 * const series = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
 * windows(series, { length: 4 }).size; // 7
 * const forecasts = windows(series, { length: 3, horizon: 2, stride: 2 });
 * for await (const { x, y } of forecasts.take(2)) console.log(x.data, y.data); // 0 1 2 and 3 4, then 2 3 4 and 5 6
 * const same = windows(series, { length: 4 }).map((x) => ({ x, y: x })); // for an autoencoder
 */
export function windows(
  series: Tensor | ArrayLike<number>,
  options: WindowOptions & ({ horizon: number; targets?: undefined } | { targets: Tensor; horizon?: undefined }),
): Dataset<Forecast>;
export function windows(series: Tensor | ArrayLike<number>, options: WindowOptions): Dataset<Tensor>;
export function windows(
  series: Tensor | ArrayLike<number>,
  options: WindowOptions & { horizon?: number; targets?: Tensor },
): Dataset<Forecast> | Dataset<Tensor> {
  const op = "windows";
  checkKeys(op, options, ["length", "stride", "samplingRate", "startIndex", "endIndex", "horizon", "targets"]);
  const all = seriesOf(op, series);
  const [steps] = all.shape;
  const { length, stride = 1, samplingRate = 1, startIndex = 0, endIndex = steps, horizon, targets } = options;
  for (const [what, value] of Object.entries({ length, stride, samplingRate })) whole(op, what, value, 1);
  whole(op, "startIndex", startIndex, 0);
  whole(op, "endIndex", endIndex, 0);
  if (endIndex > steps) throw rangeError({ op, expected: `endIndex to be at most ${steps}`, actual: String(endIndex) });
  if (horizon !== undefined) whole(op, "horizon", horizon, 1);
  if (targets !== undefined && (horizon !== undefined || !isTensor(targets) || targets.shape.length === 0)) {
    const actual = horizon === undefined ? told(targets) : "both";
    throw typeError({ op, expected: "either horizon or targets, a tensor with a row for each step", actual });
  }
  const read = (length + (horizon ?? 0) - 1) * samplingRate + 1; // steps from the first to the last that an element needs
  const last = Math.min(endIndex - read, (targets?.shape[0] ?? steps) - 1);
  if (last < startIndex) {
    const what = targets && targets.shape[0] <= startIndex ? "targets" : "steps";
    const least = what === "targets" ? startIndex + 1 : read;
    const actual = what === "targets" ? targets?.shape[0] : Math.max(0, endIndex - startIndex);
    throw rangeError({ op, expected: `at least ${least} ${what} for one window`, actual: String(actual) });
  }
  const size = Math.floor((last - startIndex) / stride) + 1;
  const x = (i: number) => rows(all, startIndex + i * stride, length, samplingRate);
  if (horizon === undefined && targets === undefined) return new Dataset({ size, read: () => x });
  const y = (i: number): Tensor => {
    const start = startIndex + i * stride;
    if (targets !== undefined) return row(targets, start);
    return rows(all, start + length * samplingRate, horizon as number, samplingRate);
  };
  return new Dataset({ size, read: () => (i: number) => ({ x: x(i), y: y(i) }) });
}

function seriesOf(op: string, given: Tensor | ArrayLike<number>): Tensor {
  if (isTensor(given)) {
    if (given.shape.length > 0) return given;
    throw new ShapeError({ op, expected: "steps along a first axis", actual: show(given.shape) });
  }
  if (!(Array.isArray(given) || (ArrayBuffer.isView(given) && !(given instanceof DataView)))) {
    throw typeError({ op, expected: "a tensor or an array of numbers", actual: told(given) });
  }
  const data = Float32Array.from(given as ArrayLike<number>);
  const wrong = Array.isArray(given) ? given.findIndex((v) => typeof v !== "number") : -1;
  if (wrong < 0) return tensor(data, [data.length]);
  throw typeError({
    op,
    expected: "numbers; several for each step as a tensor",
    actual: `${told(given[wrong])} (element ${wrong})`,
  });
}

/** `count` rows from `first` on, every `step`-th. */
function rows({ data, shape: [, ...rest], dtype }: Tensor, first: number, count: number, step: number): Tensor {
  const size = sizeOf(rest);
  const shape = [count, ...rest];
  if (step === 1) return { data: data.subarray(first * size, (first + count) * size), shape, dtype };
  const taken = data.slice(0, count * size);
  for (let i = 0; i < count; i++) {
    const from = (first + i * step) * size;
    taken.set(data.subarray(from, from + size), i * size);
  }
  return { data: taken, shape, dtype };
}
