// How long predictions take, of several models in one run: what a machine does beside strikes all of them.
import type { Model } from "../program/model.js";
import type { Tensor } from "../tensor.js";

/** A model and one sample for it. */
interface Timed {
  readonly model: Model;
  readonly feeds: readonly Tensor[];
}

/** Milliseconds that one measurement takes at least, so that clocks of little resolution serve; and predictions, at most. */
const LEAST = 1;
const MOST = 512;

/**
 * Milliseconds of one prediction of each model, the median of `runs` measurements that take turns; undefined where the clock stands still, as
 * it does within a request to Cloudflare's Workers.
 */
export function latencies(timed: readonly Timed[], runs: number): (number | undefined)[] {
  const measured = timed.map((one) => ({ one, often: oftenEnough(one), times: [] as number[] }));
  for (let run = 0; run < runs; run++)
    for (const { one, often, times } of measured) if (often !== undefined) times.push(timeOf(one, often) / often);
  return measured.map(({ often, times }) => (often === undefined ? undefined : median(times)));
}

function timeOf({ model, feeds }: Timed, often: number): number {
  const start = performance.now();
  for (let i = 0; i < often; i++) model.predict(feeds);
  return performance.now() - start;
}

/** How many predictions one measurement is of; they also warm the model up. */
function oftenEnough(one: Timed): number | undefined {
  for (let often = 1; ; often *= 2) {
    const time = timeOf(one, often);
    if (time >= LEAST) return often;
    if (often >= MOST) return time > 0 ? often : undefined;
  }
}

const median = (list: number[]): number => {
  const sorted = list.sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
