// workerd, where time stands still between one input or output and the next: each sample is a request for so many calls that they take
// VISIT milliseconds, timed from outside, less what a request for none takes.
import { measure, summary } from "../measure.mjs";
import { againstRoofs } from "../roofs.mjs";
import { bundle, FOLDER, fromTests, WASM } from "./bundle.mjs";

const VISIT = 60;
const EMPTY = 50; // requests for nothing, of which the median counts

/** Bundles a worker of this folder into FOLDER, and serves it: `{ url, process }`. */
export async function serveWorker(entry) {
  const { serve, version } = await fromTests("runtimes/workerd");
  const outfile = `workerd/${entry}`; // from where dist/workerd's "../kernels.core.wasm" is in FOLDER
  await bundle(entry, { conditions: ["workerd", "worker"], outfile });
  return { ...(await serve(FOLDER, [outfile, ...WASM])), version: version() };
}

export async function workerd({ only, rounds, math: asked }, onRound) {
  const { url, process, version } = await serveWorker("worker.mjs");
  try {
    const search = new URLSearchParams({ only, math: asked });
    const { math, tasks } = await (await fetch(`${url}?${search}`)).json();
    const ask = async (row, calls) => {
      const start = performance.now();
      await (await fetch(`${url}?row=${row}&calls=${calls}`)).text();
      return performance.now() - start;
    };
    const empty = [];
    for (let i = 0; i < EMPTY; i++) empty.push(await ask(0, 0));
    const overhead = summary(empty).ms;
    for (const [i, task] of tasks.entries()) {
      let calls = 1;
      // The first visits are also those that let the engine compile anew.
      for (let ms = await ask(i, 1); ms < VISIT; ms = await ask(i, calls)) {
        calls = Math.ceil(calls * Math.min(10, (1.2 * VISIT) / Math.max(ms - overhead, 0.01)));
      }
      task.run = async () => {
        const ms = await ask(i, calls);
        return { overriddenDuration: (ms - overhead) / calls, overriddenIterationCost: ms };
      };
    }
    const times = await measure(tasks, { rounds, time: VISIT, onRound });
    const rows = tasks.map(({ run, ...row }, i) => ({ ...row, ...times[i] }));
    const roofs = rows.filter(({ section }) => section === "roof");
    return [{ name: "workerd", runtime: `workerd ${version}`, math, rows: againstRoofs(rows, roofs) }];
  } finally {
    await process.kill();
  }
}
