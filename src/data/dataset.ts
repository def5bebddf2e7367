// Examples, described: where they come from and what is done to them on the way. Nothing is read until somebody iterates, and every
// iteration of the same epoch gives the same elements in the same order.
import { rangeError, ShapeError, typeError } from "../errors.js";
import type { Tensor } from "../tensor.js";
import {
  batch,
  bufferShuffle,
  concat,
  freeze,
  isIndexed,
  iterate,
  map,
  prefetch,
  repeat,
  type Sequence,
  shuffle,
  slice,
  zip,
} from "./sequence.js";
import { open } from "./source.js";
import type { Stacked } from "./stack.js";
import { whole } from "./whole.js";

export type { Stacked } from "./stack.js";

/** Samples in tensors, along their first axes; several tensors where a model has several inputs or outputs. */
export interface Samples {
  readonly x: Tensor | readonly Tensor[];
  readonly y?: Tensor | readonly Tensor[];
  readonly sampleWeight?: Tensor;
}

/** Elements one after the other, or a function that begins anew for every epoch. */
export type Elements<T> = Iterable<T> | AsyncIterable<T> | ((epoch: number) => Iterable<T> | AsyncIterable<T>);

/** An immutable description of examples; every method gives another one. `for await` reads its first epoch. */
export class Dataset<T> implements AsyncIterable<T> {
  readonly #sequence: Sequence<T>;

  /** Use `dataset`. */
  constructor(sequence: Sequence<T>) {
    this.#sequence = sequence;
  }

  /** Elements in an epoch; undefined where only reading tells, Infinity where there is no end. */
  get size(): number | undefined {
    return this.#sequence.size;
  }

  /** The elements of an epoch, from 0: shuffles draw another order for each. */
  elements(epoch = 0): AsyncIterable<T> {
    return { [Symbol.asyncIterator]: () => iterate(this.#sequence, epoch) };
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return iterate(this.#sequence, 0);
  }

  /**
   * @param f may be asynchronous; gets the element, its index in the epoch and the epoch, so that it can be random and yet repeatable.
   *   Not called before the element is needed, and anew each time
   */
  map<U>(f: (element: T, index: number, epoch: number) => U | Promise<U>): Dataset<U> {
    if (typeof f !== "function") throw typeError({ op: "map", expected: "a function", actual: typeof f });
    return new Dataset(map(this.#sequence, f));
  }

  /**
   * Another order in every epoch, the same for the same seed everywhere.
   * @param seed whole number below 2^53
   * @param options.buffer for streams: how many elements to hold, from which the next is drawn. Elements with random access (of tensors
   *   and arrays) are always shuffled completely and need none
   */
  shuffle(seed: number, { buffer }: { buffer?: number } = {}): Dataset<T> {
    whole("shuffle", "the seed", seed, 0);
    if (buffer !== undefined) whole("shuffle", "buffer", buffer, 1);
    const sequence = this.#sequence;
    if (isIndexed(sequence)) return new Dataset(shuffle(sequence, seed));
    if (buffer === undefined) {
      const expected = "options.buffer, as a stream has no random access: how many elements to hold and draw from";
      throw typeError({ op: "shuffle", expected, actual: "none" });
    }
    return new Dataset(bufferShuffle(sequence, seed, buffer));
  }

  /**
   * Stacks `n` elements: numbers, arrays of numbers and tensors become tensors with one more axis in front.
   * @param options.dropRemainder leave the last, smaller batch out; default false
   */
  batch(n: number, { dropRemainder = false }: { dropRemainder?: boolean } = {}): Dataset<Stacked<T>> {
    whole("batch", "the batch size", n, 1);
    return new Dataset(batch(this.#sequence, n, dropRemainder));
  }

  /** The first `n` elements of every epoch. To hold data back, use `split`: its parts stay apart also when shuffled before. */
  take(n: number): Dataset<T> {
    whole("take", "the count", n, 0);
    return new Dataset(slice(this.#sequence, 0, n));
  }

  /** All but the first `n` elements of every epoch. */
  skip(n: number): Dataset<T> {
    whole("skip", "the count", n, 0);
    return new Dataset(slice(this.#sequence, n, Number.POSITIVE_INFINITY));
  }

  /**
   * Parts one after the other, and what remains as the last one: `split(0.8)` gives 80 % and 20 %, `split(800, 100)` gives 800, 100 and
   * the rest. Which elements a part has is settled by the first epoch and stays; shuffle a part again for a new order in every epoch.
   * @param parts shares in (0, 1), for a known size, or whole numbers
   */
  split<const P extends readonly number[]>(...parts: P): [...{ [K in keyof P]: Dataset<T> }, Dataset<T>] {
    const bounds = boundaries(this.size, parts);
    const frozen = freeze(this.#sequence);
    const cut = [0, ...bounds].map(
      (from, i) => new Dataset(slice(frozen, from, bounds[i] ?? Number.POSITIVE_INFINITY)),
    );
    return cut as [...{ [K in keyof P]: Dataset<T> }, Dataset<T>];
  }

  /** `count` epochs as one, each in its own order; without a count endlessly. */
  repeat(count = Number.POSITIVE_INFINITY): Dataset<T> {
    if (count !== Number.POSITIVE_INFINITY) whole("repeat", "the count", count, 0);
    return new Dataset(repeat(this.#sequence, count));
  }

  /** These elements, then those of another dataset. */
  concat<U>(other: Dataset<U>): Dataset<T | U> {
    return new Dataset(
      concat(
        this.#sequence,
        sequenceOf("concat", other, (d) => d.#sequence),
      ),
    );
  }

  /** Pairs of an element of this and one of another dataset, as many as the shorter one has. */
  zip<U>(other: Dataset<U>): Dataset<[T, U]> {
    return new Dataset(
      zip(
        this.#sequence,
        sequenceOf("zip", other, (d) => d.#sequence),
      ),
    );
  }

  /**
   * Asks for `n` elements before they are needed, so that a source or a `map` that waits for a disk or a network does so while the model
   * computes. Belongs at the end: what comes out is a stream.
   */
  prefetch(n: number): Dataset<T> {
    whole("prefetch", "the count", n, 1);
    return new Dataset(prefetch(this.#sequence, n));
  }
}

/**
 * Describes examples, for `fit` and `evaluate` or a loop of one's own.
 * @param source `{ x, y }` of tensors (an element is a sample: `{ x, y }` of their rows, which share memory with them), a tensor, an array
 *   of elements, an iterable or async iterable of elements, or a function (a generator, too) that makes one for every epoch
 * @returns tensors and arrays have random access; iterables are streams
 * @throws {ShapeError} when tensors differ in their number of samples, {TypeError} for other sources
 * @example
 * const data = dataset({ x: tensor([[1, 2], [3, 4], [5, 6], [7, 8]]), y: tensor([0, 1, 0, 1], [4], "int32") });
 * const [train, test] = data.shuffle(1).split(0.75);
 * const noisy = train.map(({ x, y }) => ({ x: tensor(x.data.map((v) => v + 0.1)), y }));
 * for await (const { x, y } of noisy.shuffle(2).batch(2)) console.log(x.shape, y.shape); // [2, 2] [2], then [1, 2] [1]
 * test.size; // 1
 *
 * const lines = dataset(async function* () { for (let i = 0; i < 10; i++) yield i; }); // read anew for every epoch
 * const sums = [];
 * for await (const sum of lines.shuffle(3, { buffer: 4 }).map((i) => i * i).take(3).prefetch(2)) sums.push(sum);
 * sums.length; // 3
 */
export function dataset<S extends Samples>(source: S): Dataset<Pick<S, Extract<keyof S, keyof Samples>>>;
export function dataset(source: Tensor): Dataset<Tensor>;
export function dataset<T>(source: readonly T[] | Elements<T>): Dataset<T>;
export function dataset(source: unknown): Dataset<unknown> {
  return new Dataset(open(source));
}

function sequenceOf<U>(op: string, other: Dataset<U>, of: (other: Dataset<U>) => Sequence<U>): Sequence<U> {
  if (other instanceof Dataset) return of(other);
  throw typeError({ op, expected: "another dataset", actual: other === null ? "null" : typeof other });
}

/** Where parts end: shares rounded to the nearest element, summed before, so that parts never overlap. */
function boundaries(size: number | undefined, parts: readonly number[]): number[] {
  const total = parts.reduce((sum, part) => sum + part, 0);
  const sums = parts.map((_, i) => parts.slice(0, i + 1).reduce((sum, part) => sum + part, 0));
  if (parts.length > 0 && parts.every((part) => part > 0 && part < 1) && total <= 1 + 1e-9) {
    if (size !== undefined && Number.isFinite(size)) return sums.map((sum) => Math.min(size, Math.round(sum * size)));
    const expected = "sizes as whole numbers, as the number of elements is not known";
    throw rangeError({ op: "split", expected, actual: parts.join(", ") });
  }
  if (parts.length === 0 || !parts.every((part) => Number.isSafeInteger(part) && part >= 0)) {
    const expected = "shares in (0, 1) of at most 1 together, or sizes as whole numbers";
    throw rangeError({ op: "split", expected, actual: parts.join(", ") || "none" });
  }
  if (size !== undefined && total > size) {
    throw new ShapeError({ op: "split", expected: `at most ${size} elements`, actual: parts.join(" + ") });
  }
  return sums;
}
