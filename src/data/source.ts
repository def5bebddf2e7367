// Where elements come from: rows of tensors, arrays, iterables, generators.
import { ShapeError, typeError } from "../errors.js";
import type { Tensor } from "../tensor.js";
import type { Indexed, Sequence, Stream } from "./sequence.js";
import { isTensor, row } from "./stack.js";

type Loop = Iterable<unknown> | AsyncIterable<unknown>;

/** @throws {ShapeError} or {TypeError} for what is no source */
export function open(source: unknown): Sequence<unknown> {
  if (isTensor(source)) return rows([source], (i) => row(source, i));
  if (Array.isArray(source) || (ArrayBuffer.isView(source) && !(source instanceof DataView))) {
    const list = source as ArrayLike<unknown>;
    return { size: list.length, read: () => (index) => list[index] };
  }
  if (typeof source === "function") return made(source as (epoch: number) => unknown);
  if (isLoop(source)) return isOneShot(source) ? oneShot(source) : made(() => source);
  if (typeof source === "object" && source !== null && "x" in source) return samples(source as Record<string, unknown>);
  throw notSource(source);
}

const isLoop = (x: unknown): x is Loop =>
  typeof x === "object" && x !== null && (Symbol.asyncIterator in x || Symbol.iterator in x);

/** Iterators and byte streams end once and for all: a second epoch would silently be empty. */
const isOneShot = (x: Loop): boolean => "next" in x || "getReader" in x;

function made(make: (epoch: number) => unknown): Stream<unknown> {
  return {
    size: undefined,
    async *open(epoch) {
      const loop = make(epoch);
      if (!isLoop(loop)) throw notSource(loop);
      yield* loop;
    },
  };
}

function oneShot(loop: Loop): Stream<unknown> {
  let used = false;
  return made(() => {
    if (used) {
      const expected = "a function that makes the iterable for every epoch, as this one can be read only once";
      throw typeError({ op: "dataset", expected, actual: "an iterator that has been read" });
    }
    used = true;
    return loop;
  });
}

/** `{ x, y, sampleWeight }` of tensors, sample by sample. */
function samples(source: Record<string, unknown>): Indexed<unknown> {
  const fields = ["x", "y", "sampleWeight"].filter((name) => source[name] !== undefined);
  const tensors = fields.flatMap((name) => {
    const list = Array.isArray(source[name]) ? source[name] : [source[name]];
    const wrong = list.find((each) => !isTensor(each));
    if (list.length > 0 && wrong === undefined) return list as Tensor[];
    throw typeError({ op: "dataset", layer: name, expected: "a tensor or an array of tensors", actual: typeof wrong });
  });
  return rows(tensors, (i) => {
    const part = (field: unknown) =>
      Array.isArray(field) ? field.map((t: Tensor) => row(t, i)) : row(field as Tensor, i);
    return Object.fromEntries(fields.map((name) => [name, part(source[name])]));
  });
}

function rows(tensors: readonly Tensor[], get: (index: number) => unknown): Indexed<unknown> {
  const [size] = tensors[0].shape;
  for (const { shape } of tensors) {
    if (shape.length === 0)
      throw new ShapeError({ op: "dataset", expected: "samples along a first axis", actual: "a scalar" });
    if (shape[0] === size) continue;
    throw new ShapeError({
      op: "dataset",
      expected: "as many samples in every tensor",
      actual: `${size} and ${shape[0]}`,
    });
  }
  return { size, read: () => get };
}

function notSource(source: unknown): TypeError {
  const expected =
    "{ x, y } of tensors, a tensor, an array, an iterable, an async iterable or a function that makes one";
  return typeError({ op: "dataset", expected, actual: source === null ? "null" : typeof source });
}
