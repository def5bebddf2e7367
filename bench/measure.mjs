// Times functions with tinybench, in alternation: every round runs each of them for a while, so that what drifts (clock rate,
// neighbours on the machine) drifts for all of them alike, and ratios between rows of one run can be trusted. Runs in every runtime
// whose clock runs.
import { Bench } from "tinybench";

const TICKS = 100; // of the clock that a sample takes at least

/**
 * @param rows `{ name, run }` each; `run` may be async, or give `{ overriddenDuration }` where it has measured by itself;
 *   `before` is called before each visit, unmeasured
 * @param options.rounds how often each is visited; `options.time` milliseconds per visit, two samples at least
 * @param options.onRound called with the number of each round
 * @returns per row `{ ms, spread, min }`: the median of all samples, the distance of their quartiles as a share of it, the fastest
 */
export async function measure(rows, { rounds = 12, time = 40, onRound = () => {} } = {}) {
  const samples = rows.map(() => []);
  const tick = resolution();
  const runs = [];
  for (const { run } of rows) runs.push(await repeated(run, tick));
  for (let round = 0; round < rounds; round++) {
    onRound(round + 1, rounds);
    const warmup = { warmup: round === 0, warmupTime: 4 * time, warmupIterations: 3 };
    const bench = new Bench({ time, iterations: 2, retainSamples: true, throws: true, ...warmup });
    for (const [i, { name, before }] of rows.entries()) bench.add(`${i} ${name}`, runs[i], { beforeAll: before });
    await bench.run();
    for (const [i, { result }] of bench.tasks.entries())
      for (const sample of result.latency.samples) samples[i].push(sample);
  }
  return samples.map(summary);
}

/** What is told of samples: `{ ms, spread, min }`. */
export function summary(samples) {
  const sorted = samples.toSorted((a, b) => a - b);
  const [low, ms, high] = [0.25, 0.5, 0.75].map((share) => sorted[Math.floor(share * (sorted.length - 1))]);
  return { ms, spread: (high - low) / ms, min: sorted[0] };
}

/** The usual step of the clock in milliseconds: browsers round it. */
function resolution() {
  const steps = Array.from({ length: 20 }, () => {
    const start = performance.now();
    let now = start;
    while (now === start) now = performance.now();
    return now - start;
  });
  return summary(steps).ms;
}

/** A function that runs long enough for the clock, and tells what one call took. */
async function repeated(run, tick) {
  const start = performance.now();
  const result = run();
  const alone = typeof result?.then === "function" || result?.overriddenDuration !== undefined;
  await result;
  if (alone) return run;
  for (let i = 0; i < 3; i++) run(); // the first is slow
  const before = performance.now();
  run();
  const ms = Math.max(tick / 10, Math.min(performance.now() - before, performance.now() - start));
  const calls = Math.ceil((TICKS * tick) / ms);
  if (calls === 1) return run;
  return () => {
    const begin = performance.now();
    for (let i = 0; i < calls; i++) run();
    const all = performance.now() - begin;
    return { overriddenDuration: all / calls, overriddenIterationCost: all };
  };
}
