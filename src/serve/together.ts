// Samples of several requests through one model, in pieces of a few sizes, so that a few programs serve every batch.
import type { Model } from "../program/model.js";
import { sizeOf } from "../shape.js";
import { arrayOf, type Tensor, type TypedArray } from "../tensor.js";

/** Whether samples of several requests may run as one batch: no sample has to do with another, nor with an earlier one. */
const isSeparable = (model: Model): boolean =>
  model.inputs.every(({ batched }) => batched !== false) && !model.isStateful;

/**
 * The results of requests that wait together. What a stateful model carries begins anew with each: a server promises nobody which request
 * comes next. Pauses between predictions, for whoever has something else to do.
 * @param requests of each its inputs [samples, ...shape]
 * @param most samples at once, where samples of several requests may run together
 * @returns of each request its outputs [samples, ...shape]
 */
export function* runRequests(
  model: Model,
  requests: readonly (readonly Tensor[])[],
  most: number,
): Generator<void, Tensor[][]> {
  if (isSeparable(model)) return yield* runTogether(model, requests, most);
  const results: Tensor[][] = [];
  for (const feeds of requests) {
    if (results.length > 0) yield;
    model.resetState();
    results.push([model.predict(feeds)].flat());
  }
  return results;
}

function* runTogether(
  model: Model,
  requests: readonly (readonly Tensor[])[],
  most: number,
): Generator<void, Tensor[][]> {
  const results = requests.map((feeds) =>
    model.outputs.map(({ shape, dtype }): Tensor => {
      const full = [feeds[0].shape[0], ...shape];
      return { data: new (arrayOf(dtype))(sizeOf(full)), shape: full, dtype };
    }),
  );
  const inputs = model.inputs.map(({ shape }, i) => ({ each: sizeOf(shape), of: (r: number) => requests[r][i].data }));
  const outputs = model.outputs.map(({ shape }, i) => ({ each: sizeOf(shape), of: (r: number) => results[r][i].data }));
  const spans = requests.map((feeds, request) => ({ request, from: 0, left: feeds[0].shape[0] }));
  let left = spans.reduce((n, span) => n + span.left, 0);
  let next = 0;
  while (left > 0) {
    const size = pieceOf(left, most);
    const piece: { request: number; from: number; count: number; at: number }[] = [];
    for (let at = 0; at < size && next < spans.length; ) {
      const span = spans[next];
      const count = Math.min(span.left, size - at);
      if (count > 0) piece.push({ request: span.request, from: span.from, count, at });
      span.from += count;
      span.left -= count;
      at += count;
      if (span.left === 0) next++;
    }
    const session = model.session(size);
    const writable = session.inputs;
    for (const { request, from, count, at } of piece)
      inputs.forEach(({ each, of }, i) => {
        copy(of(request), from * each, count * each, writable[i], at * each);
      });
    session.run();
    const readable = session.outputs;
    for (const { request, from, count, at } of piece)
      outputs.forEach(({ each, of }, i) => {
        copy(readable[i], at * each, count * each, of(request), from * each);
      });
    left -= piece.reduce((n, { count }) => n + count, 0);
    if (left > 0) yield;
  }
  return results;
}

/** A power of two at most `most`: what is left rounded up where that wastes at most a quarter of it, otherwise down. */
export function pieceOf(left: number, most: number): number {
  let size = 1;
  while (size * 2 <= Math.min(left, most)) size *= 2;
  return size < left && size * 2 <= most && left >= 1.5 * size ? size * 2 : size;
}

function copy(from: TypedArray, start: number, length: number, to: TypedArray, at: number): void {
  to.set(length === from.length ? from : from.subarray(start, start + length), at);
}
