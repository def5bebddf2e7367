// What a dataset stands on: elements by index, or elements one after the other. Operations keep random access where they can: on
// indexed sequences they are arithmetic on indices, and nothing is read before it is asked for.
import { draws, permutation } from "../philox.js";
import { type Stacked, stack } from "./stack.js";

/** Elements by index. `read` is called once per epoch, so that a shuffle can fix the epoch's order there. */
export interface Indexed<T> {
  readonly size: number;
  read(epoch: number): (index: number) => T | Promise<T>;
}

/** Elements in one order. `size` is undefined where only the end will tell, and Infinity where there is none. */
export interface Stream<T> {
  readonly size: number | undefined;
  open(epoch: number): AsyncIterable<T>;
}

export type Sequence<T> = Indexed<T> | Stream<T>;

export const isIndexed = <T>(s: Sequence<T>): s is Indexed<T> => "read" in s;

/** The elements of one epoch, each read when it is asked for. Several may be asked for at once. */
export function iterate<T>(s: Sequence<T>, epoch: number): AsyncIterator<T> {
  if (!isIndexed(s)) return s.open(epoch)[Symbol.asyncIterator]();
  let at = 0;
  let get: ((index: number) => T | Promise<T>) | undefined;
  return {
    async next() {
      if (at >= s.size) return { done: true, value: undefined };
      get ??= s.read(epoch);
      return { done: false, value: await get(at++) };
    },
    async return() {
      at = s.size;
      return { done: true, value: undefined };
    },
  };
}

const over = <T>(s: Sequence<T>, epoch: number): AsyncIterable<T> => ({
  [Symbol.asyncIterator]: () => iterate(s, epoch),
});

const isPromise = <T>(x: T | Promise<T>): x is Promise<T> =>
  typeof (x as { then?: unknown } | null)?.then === "function";

export function map<T, U>(
  s: Sequence<T>,
  f: (element: T, index: number, epoch: number) => U | Promise<U>,
): Sequence<U> {
  if (!isIndexed(s)) {
    const open = async function* (epoch: number) {
      let index = 0;
      for await (const element of s.open(epoch)) yield await f(element, index++, epoch);
    };
    return { size: s.size, open };
  }
  const read = (epoch: number) => {
    const get = s.read(epoch);
    return (index: number): U | Promise<U> => {
      const element = get(index);
      return isPromise(element) ? element.then((value) => f(value, index, epoch)) : f(element, index, epoch);
    };
  };
  return { size: s.size, read };
}

export function shuffle<T>(s: Indexed<T>, seed: number): Indexed<T> {
  const read = (epoch: number) => {
    const get = s.read(epoch);
    const order = permutation(s.size, seed, epoch);
    return (index: number) => get(order[index]);
  };
  return { size: s.size, read };
}

/** Each element leaves a buffer of `buffer` elements at random, and the next one takes its place. */
export function bufferShuffle<T>(s: Stream<T>, seed: number, buffer: number): Stream<T> {
  const open = async function* (epoch: number) {
    const { bits } = draws(seed, epoch);
    const below = (count: number) => Math.floor((bits() / 2 ** 32) * count);
    const held: T[] = [];
    for await (const element of s.open(epoch)) {
      if (held.length < buffer) {
        held.push(element);
        continue;
      }
      const leaving = below(buffer);
      yield held[leaving];
      held[leaving] = element;
    }
    while (held.length > 0) {
      const leaving = below(held.length);
      yield held[leaving];
      held[leaving] = held[held.length - 1];
      held.pop();
    }
  };
  return { size: s.size, open };
}

export function batch<T>(s: Sequence<T>, n: number, dropRemainder: boolean): Sequence<Stacked<T>> {
  const size = s.size === undefined ? undefined : dropRemainder ? Math.floor(s.size / n) : Math.ceil(s.size / n);
  if (!isIndexed(s)) {
    const open = async function* (epoch: number) {
      let start = 0;
      let held: T[] = [];
      for await (const element of s.open(epoch)) {
        held.push(element);
        if (held.length < n) continue;
        yield stack(held, start);
        start += n;
        held = [];
      }
      if (held.length > 0 && !dropRemainder) yield stack(held, start);
    };
    return { size, open };
  }
  const read = (epoch: number) => {
    const get = s.read(epoch);
    return (index: number) => {
      const start = index * n;
      const elements = Array.from({ length: Math.min(n, s.size - start) }, (_, i) => get(start + i));
      return elements.some(isPromise)
        ? Promise.all(elements).then((values) => stack(values, start))
        : stack(elements as T[], start);
    };
  };
  return { size: size as number, read };
}

/** Elements `from` to `to` of every epoch, `to` excluded. */
export function slice<T>(s: Sequence<T>, from: number, to: number): Sequence<T> {
  const size = s.size === undefined ? undefined : Math.max(0, Math.min(s.size, to) - from);
  if (isIndexed(s)) {
    const read = (epoch: number) => {
      const get = s.read(epoch);
      return (index: number) => get(from + index);
    };
    return { size: size as number, read };
  }
  const open = async function* (epoch: number) {
    if (to <= from) return;
    let index = 0;
    for await (const element of s.open(epoch)) {
      if (index >= from) yield element;
      if (++index >= to) return; // before the next is asked for
    }
  };
  return { size, open };
}

/** The first epoch again and again. */
export const freeze = <T>(s: Sequence<T>): Sequence<T> =>
  isIndexed(s) ? { size: s.size, read: () => s.read(0) } : { size: s.size, open: () => s.open(0) };

/** Epoch e of `count` repetitions is made of the epochs e * count, e * count + 1, ...; an endless one begins with epoch e. */
export function repeat<T>(s: Sequence<T>, count: number): Sequence<T> {
  if (isIndexed(s) && Number.isFinite(count)) {
    const read = (epoch: number) => {
      const each = new Map<number, (index: number) => T | Promise<T>>();
      return (index: number) => {
        const turn = Math.floor(index / s.size);
        const get = each.get(turn) ?? s.read(epoch * count + turn);
        each.set(turn, get);
        return get(index - turn * s.size);
      };
    };
    return { size: s.size * count, read };
  }
  const endless = count === Number.POSITIVE_INFINITY && s.size !== 0;
  const size = endless ? count : s.size && count && s.size * count;
  const open = async function* (epoch: number) {
    const first = Number.isFinite(count) ? epoch * count : epoch;
    for (let turn = 0; turn < count; turn++) {
      let empty = true;
      for await (const element of over(s, first + turn)) {
        empty = false;
        yield element;
      }
      if (empty) return; // nothing, repeated for ever, would never come to an end
    }
  };
  return { size, open };
}

export function concat<T, U>(a: Sequence<T>, b: Sequence<U>): Sequence<T | U> {
  if (isIndexed(a) && isIndexed(b)) {
    const read = (epoch: number) => {
      const [getA, getB] = [a.read(epoch), b.read(epoch)];
      return (index: number) => (index < a.size ? getA(index) : getB(index - a.size));
    };
    return { size: a.size + b.size, read };
  }
  const open = async function* (epoch: number) {
    yield* over(a, epoch);
    yield* over(b, epoch);
  };
  return { size: a.size === undefined || b.size === undefined ? undefined : a.size + b.size, open };
}

/** Pairs, as many as the shorter one has. */
export function zip<T, U>(a: Sequence<T>, b: Sequence<U>): Sequence<[T, U]> {
  if (isIndexed(a) && isIndexed(b)) {
    const read = (epoch: number) => {
      const [getA, getB] = [a.read(epoch), b.read(epoch)];
      return (index: number): [T, U] | Promise<[T, U]> => {
        const [first, second] = [getA(index), getB(index)];
        return isPromise(first) || isPromise(second) ? Promise.all([first, second]) : [first, second];
      };
    };
    return { size: Math.min(a.size, b.size), read };
  }
  const open = async function* (epoch: number) {
    const others = iterate(b, epoch);
    try {
      for await (const first of over(a, epoch)) {
        const second = await others.next();
        if (second.done) return;
        yield [first, second.value] satisfies [T, U] as [T, U];
      }
    } finally {
      await others.return?.();
    }
  };
  return { size: a.size === undefined || b.size === undefined ? undefined : Math.min(a.size, b.size), open };
}

/** Asks for `count` elements before they are needed; elements by index are then read side by side. */
export function prefetch<T>(s: Sequence<T>, count: number): Stream<T> {
  const open = async function* (epoch: number) {
    const source = iterate(s, epoch);
    const coming: Promise<IteratorResult<T>>[] = [];
    const ask = () => {
      while (coming.length < count) {
        const next = source.next();
        next.catch(() => {}); // it is thrown when its turn comes
        coming.push(next);
      }
    };
    try {
      for (ask(); ; ) {
        const next = await (coming.shift() as Promise<IteratorResult<T>>);
        if (next.done) return;
        ask();
        yield next.value;
      }
    } finally {
      source.return?.()?.catch(() => {}); // not awaited: an element that never comes must not hold up who leaves
    }
  };
  return { size: s.size, open };
}
