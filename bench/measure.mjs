// Times functions with tinybench, in alternation: every round runs each of them for a while, so that what drifts (clock rate,
// neighbours on the machine) drifts for all of them alike, and ratios between rows of one run can be trusted.
import { Bench } from "tinybench";

/**
 * @param rows `{ name, run }` each; `run` may be async, or give `{ overriddenDuration }` where it has measured by itself
 * @param options.rounds how often each is visited; `options.time` milliseconds per visit, two calls at least
 * @returns per row `{ ms, spread }`: the median of all calls, and the distance of their quartiles as a share of it
 */
export async function measure(rows, { rounds = 12, time = 40 } = {}) {
  const samples = rows.map(() => []);
  for (let round = 0; round < rounds; round++) {
    if (process.stderr.isTTY) process.stderr.write(`\rround ${round + 1}/${rounds}\u001b[K`);
    const warmup = { warmup: round === 0, warmupTime: 4 * time, warmupIterations: 3 };
    const bench = new Bench({ time, iterations: 2, retainSamples: true, throws: true, ...warmup });
    for (const { name, run } of rows) bench.add(name, run);
    await bench.run();
    bench.tasks.forEach(({ result }, i) => {
      samples[i].push(...result.latency.samples);
    });
  }
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  return samples.map((times) => {
    const [low, ms, high] = [0.25, 0.5, 0.75].map((share) => quantile(times, share));
    return { ms, spread: (high - low) / ms };
  });
}

/** The sample below which `share` of all samples are. */
export function quantile(samples, share) {
  return samples.toSorted((a, b) => a - b)[Math.floor(share * (samples.length - 1))];
}
