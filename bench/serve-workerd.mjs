// Rows for Workers: the digits Worker of examples/worker on workerd, each time in a fresh process, its model in a KV namespace of this one:
// CPU, time and memory from the start of the process to its first answer, beside a Worker that does nothing. By itself: node bench/serve-workerd.mjs.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { load } from "lanewise";
import { model, published } from "../examples/worker/model.mjs";
import { heading, machine, publish } from "./machine.mjs";
import { summary } from "./measure.mjs";
import { readOptions } from "./options.mjs";
import { FOLDER, fromTests } from "./runtimes/bundle.mjs";
import { digits, percent, table } from "./table.mjs";
import { cpuOf, unmeasurable } from "./workerd-cpu.mjs";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const image = new Float32Array(28 * 28).map((_, i) => (i % 28) / 28);
const tensor = { name: "image", shape: [1, 28, 28, 1], datatype: "FP32", data: [...image] };
const request = { method: "POST", body: JSON.stringify({ inputs: [tensor] }) };

/**
 * @param processes how many of each kind, in turns; one more goes before them and reads the files from disk
 * @returns `{ bytes, rows, skipped }`: of the bundle, gzipped; `{ name, ms, spread, min }` each, or megabytes in the place of ms; or the reason
 *   why there are none
 */
export async function workerdServeRows(processes) {
  const skipped = unmeasurable();
  if (skipped) return { rows: [], skipped };
  const { bundle } = await fromTests("serve/runtimes/deploy");
  const { serve } = await fromTests("runtimes/workerd");
  const expected = (await load(readFileSync(model()))).predict(image).data;
  const namespace = await (await published()).listen();
  try {
    const [ours, bare] = [`${FOLDER}/digits`, `${FOLDER}/bare`];
    const { files, bytes } = await bundle(ours, at("../examples/worker/worker.js"), [
      at("../examples/worker/page.html"),
    ]);
    const nothing = await bundle(bare, at("runtimes/bare-worker.mjs"), []);
    const samples = [];
    for (let i = 0; i <= processes; i++) {
      const none = await first(await serve(bare, nothing.files), "", {});
      const served = await first(await serve(ours, files, namespace.address().port), "v2/models/digits/infer", request);
      const { data } = JSON.parse(served.answer).outputs[0];
      if (!expected.every((p, k) => p === data[k])) throw new Error(`workerd gives other numbers: ${served.answer}`);
      if (i > 0) samples.push({ none, served });
    }
    return { bytes, rows: rowsOf(samples) };
  } finally {
    namespace.close();
  }
}

/** What one process has taken when it is ready, and after its first answer. */
async function first({ url, process }, path, init) {
  const { pid } = process.child;
  try {
    const ready = cpuOf(pid);
    const start = performance.now();
    const answer = await (await fetch(url + path, init)).text();
    const wall = performance.now() - start;
    const after = cpuOf(pid);
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const megabytes = (key) => (Number(new RegExp(`${key}:\\s+(\\d+) kB`).exec(status)[1]) * 1024) / 1e6;
    return { answer, wall, ready, after, resident: megabytes("VmRSS"), peak: megabytes("VmHWM") };
  } finally {
    await process.kill();
  }
}

function rowsOf(samples) {
  const of = (pick) => summary(samples.map(pick));
  const cpu = (name, pick) => ({ name, ...of(({ none, served }) => pick(served) - pick(none)) });
  const memory = (name, pick) => {
    const { ms: megabytes, spread } = of(pick);
    return { name, megabytes, spread };
  };
  return [
    cpu("start to first answer, CPU of the worker's thread", ({ after }) => after.main),
    cpu("start to first answer, CPU of all threads", ({ after }) => after.all),
    cpu("ready to first answer, CPU of the worker's thread", ({ ready, after }) => after.main - ready.main),
    cpu("ready to first answer, CPU of all threads", ({ ready, after }) => after.all - ready.all),
    { name: "ready to first answer, time", ...of(({ served }) => served.wall) },
    { name: "a worker that does nothing: ready to first answer, time", ...of(({ none }) => none.wall) },
    memory("resident memory", ({ served }) => served.resident),
    memory("resident memory at most", ({ served }) => served.peak),
    memory("a worker that does nothing: resident memory", ({ none }) => none.resident),
  ];
}

export const workerdServeTable = ({ bytes, rows }) =>
  table(
    [`digits from KV, ${digits(bytes / 1000)} KB gzipped`, "", "spread", "least"],
    rows.map(({ name, ms, megabytes, spread, min }) => [
      name,
      ms === undefined ? `${digits(megabytes)} MB` : `${digits(ms)} ms`,
      percent(spread),
      min === undefined ? "" : `${digits(min)} ms`,
    ]),
  );

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const options = readOptions("bench/serve-workerd.mjs", 20);
  const { runtime: _, ...rest } = machine();
  const result = await workerdServeRows(options.rounds);
  const text = [heading(machine("fresh processes, in turns")), result.skipped ?? workerdServeTable(result)].join("\n");
  publish("serve-workerd", { ...rest, ...result }, text, options);
}
