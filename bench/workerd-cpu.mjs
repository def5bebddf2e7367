// Rows for Workers: the CPU time that importing the package, building the Keras CNN and predicting once takes in workerd, each time in a
// fresh process, less what a worker takes that does nothing. The clock inside a worker stands still, so the kernel is asked: Linux
// keeps the nanoseconds of every thread.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { summary } from "./measure.mjs";

const binary = fileURLToPath(new URL("../node_modules/.bin/workerd", import.meta.url));

/** `{ rows, skipped }`: rows `{ section, name, ms, spread, min }`, or the reason why there are none. */
export async function workerdRows(processes) {
  const skipped = unmeasurable();
  if (skipped) return { rows: [], skipped };
  const { serveWorker } = await import("./runtimes/workerd.mjs");
  const samples = [];
  for (let i = 0; i <= processes; i++) {
    const bare = await first(await serveWorker("bare-worker.mjs"));
    const ours = await first(await serveWorker("cold-worker.mjs"));
    if (i > 0) samples.push({ main: ours.main - bare.main, all: ours.all - bare.all, wall: ours.wall - bare.wall });
  }
  const row = (name, key) => ({ section: "workerd CPU", name, ...summary(samples.map((sample) => sample[key])) });
  return {
    rows: [
      row("import, build and first prediction, CPU of the worker's thread", "main"),
      row("import, build and first prediction, CPU with the engine's compiler threads", "all"),
      row("build and first prediction, time until the answer", "wall"),
    ],
  };
}

/** Why there is nothing to measure here, where that is so. */
export function unmeasurable() {
  if (!existsSync("/proc/self/schedstat")) return "this system keeps no /proc/PID/task/*/schedstat";
  return existsSync(binary) ? undefined : "workerd is not installed";
}

/** What one process needs from its start to its first answer, in milliseconds. */
async function first({ url, process }) {
  try {
    const start = performance.now();
    const answer = await (await fetch(url)).json();
    const wall = performance.now() - start;
    if (Math.abs(answer.reduce((a, b) => a + b) - 1) > 1e-5) throw new Error(`not a distribution: ${answer}`);
    return { wall, ...cpuOf(process.child.pid) };
  } finally {
    await process.kill();
  }
}

/** The CPU time that a process has taken, in milliseconds: that of its main thread, and of all of them. */
export function cpuOf(pid) {
  const ms = (thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]) / 1e6;
  const all = readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => sum + ms(thread), 0);
  return { main: ms(pid), all };
}
