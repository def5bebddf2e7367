// `npm run bench:serve`: the CNN behind `lanewise serve`, asked over loopback from the other core: samples per second in JSON and as bytes,
// in alternation with bare `predict` at the server's batch size and with Node's HTTP server that answers without a model; then four times
// the load, where every answer is compared and nothing may be lost; and what workerd needs for the first answer of the digits example.
//   --rounds N  default 7      --seconds N  of each visit, default 3      --overload N  seconds of the overload, default 120 (0: none)
//   --batch N  samples the server predicts together, default 32           --only, --json, --save as for others
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { save } from "lanewise";
import { images } from "./cnn.mjs";
import { heading, machine, NODE, onRound, publish } from "./machine.mjs";
import { summary } from "./measure.mjs";
import { cnn } from "./model.mjs";
import { readOptions } from "./options.mjs";
import { install } from "./peers/install.mjs";
import { workerdServeRows, workerdServeTable } from "./serve-workerd.mjs";
import { digits, table } from "./table.mjs";
import { cpuOf } from "./workerd-cpu.mjs";
import { wrk, wrkVersion } from "./wrk.mjs";

const CONNECTIONS = 64;
const PATH = "/v2/models/cnn/infer";

const options = readOptions("bench:serve", 7, {
  seconds: { type: "string", default: "3" },
  overload: { type: "string", default: "120" },
  batch: { type: "string", default: "32" },
});
const [seconds, overload, batch] = [options.seconds, options.overload, options.batch].map(Number);
const { autocannon: version } = install();
const programs = { autocannon: version, wrk: wrkVersion() };

const home = await mkdtemp(join(tmpdir(), "lanewise-bench-"));
const model = await cnn();
const file = join(home, "cnn.safetensors");
writeFileSync(file, save(model));
const [name] = model.inputs.map(({ name }) => name);
const [image, x] = [images(1), images(batch)];

const asJson = JSON.stringify({ inputs: [{ name, shape: [1, 28, 28, 1], datatype: "FP32", data: [...image] }] });
const forms = {
  "one sample a request, as bytes": asBytes(1),
  "8 samples a request, as bytes": asBytes(8),
  "32 samples a request, as bytes": asBytes(32),
  "one sample a request, as JSON": { samples: 1, body: asJson, headers: { "content-type": "application/json" } },
  "node:http alone, a request with the bytes of one": { ...asBytes(1), isAlone: true },
};

const script = (name) => fileURLToPath(new URL(name, import.meta.url));
const flags = ["--port", "0", "--json", "--max-batch", String(batch)];
const served = await start([script("../dist/cli.js"), "serve", file, ...flags]);
const alone = await start([script("http-alone.mjs")]);
const rows = [];
try {
  await check();
  rows.push(...(await visited()));
  if (overload > 0) rows.push(await overloaded());
} finally {
  served.end();
  alone.end();
  await rm(home, { recursive: true });
}

const workerd = "workerd".includes(options.only) ? await workerdServeRows(options.rounds) : { skipped: "" };
const report = { ...machine(), programs, connections: CONNECTIONS, batch, rows, workerd };
const line = ({ name, samplesPerSecond, ratio, cpu, cpuRatio, p50, p99, note = "" }) => [
  name,
  String(Math.round(samplesPerSecond)),
  ratio?.toFixed(2) ?? "",
  cpu?.toFixed(1) ?? "",
  cpuRatio?.toFixed(2) ?? "",
  ...[p50, p99].map((ms) => (ms === undefined ? "" : digits(ms))),
  note,
];
const heads = ["", "samples/s", "of predict", "CPU us", "of predict", "p50 ms", "p99 ms", ""];
const said = workerd.skipped ?? workerdServeTable(workerd);
publish(`serve-${NODE}`, report, [heading(report), table(heads, rows.map(line)), said].join("\n"), options);

/** A request of some samples, their numbers as bytes after the JSON, which spaces pad so that they are aligned. */
function asBytes(samples) {
  const data = images(samples);
  const shape = [samples, 28, 28, 1];
  const inputs = [{ name, shape, datatype: "FP32", parameters: { binary_data_size: data.byteLength } }];
  const json = JSON.stringify({ inputs, parameters: { binary_data_output: true } });
  const head = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8));
  const headers = { "inference-header-content-length": String(head.length) };
  return { samples, body: Buffer.concat([head, Buffer.from(data.buffer)]), headers };
}

/** Forms of requests and bare `predict` in alternation: medians of rates, and of their ratios within a round. */
async function visited() {
  const load = programs.wrk ? wrk : cannon;
  const chosen = Object.entries(forms).filter(([name]) => name.includes(options.only));
  const jobs = chosen.map(([, form]) => ({ ...form, url: (form.isAlone ? alone : served).url + PATH }));
  // Until the engine has compiled what it will.
  for (let i = 0; i < 100; i++) model.predict(x);
  for (const job of jobs) await load(job, CONNECTIONS, 5);
  const bare = [];
  const visits = jobs.map(() => []);
  for (let round = 0; round < options.rounds; round++) {
    onRound(round, options.rounds);
    const predict = await timed(process.pid, async () => {
      let calls = 0;
      for (const end = performance.now() + 500; performance.now() < end; calls++) model.predict(x);
      return calls * batch;
    });
    bare.push(predict);
    for (const [i, job] of jobs.entries()) {
      const latency = {};
      const seen = await timed((job.isAlone ? alone : served).pid, async () => {
        const { requests, p50, p99, refused } = await load(job, CONNECTIONS, seconds);
        if (refused > 0) throw new Error(`${chosen[i][0]}: ${refused} answers were refusals`);
        Object.assign(latency, { p50, p99 });
        return requests * job.samples;
      });
      const ratio = seen.samplesPerSecond / predict.samplesPerSecond;
      visits[i].push({ ...seen, ratio, cpuRatio: predict.cpu / seen.cpu, ...latency });
    }
  }
  onRound(options.rounds, options.rounds);
  const median = (list) => summary(list).ms;
  const medians = (list) =>
    Object.fromEntries(Object.keys(list[0]).map((key) => [key, median(list.map((visit) => visit[key]))]));
  const floor = { name: `predict, batch ${batch}, no server`, ...medians(bare) };
  return [floor, ...chosen.map(([name], i) => ({ name, ...medians(visits[i]) }))];
}

/** Samples per second of what gives their count, and microseconds of a process' main thread for each: noise of a shared machine is less there. */
async function timed(pid, run) {
  const clock = () => (existsSync("/proc/self/schedstat") ? cpuOf(pid).main : Number.NaN);
  const [start, before] = [performance.now(), clock()];
  const samples = await run();
  const [ms, cpu] = [performance.now() - start, clock() - before];
  return { samplesPerSecond: (1000 * samples) / ms, cpu: (1000 * cpu) / samples };
}

/** Four times the connections, every answer compared. */
async function overloaded() {
  const before = served.memory();
  const job = { ...asBytes(1), url: served.url + PATH };
  const { rate, p50, p99, statuses, errors, mismatches } = await cannon(job, 4 * CONNECTIONS, overload);
  await check();
  const counts = Object.entries(statuses).map(([status, count]) => `${count} x ${status}`);
  const memory = `${before} MB before, ${served.memory()} MB after`;
  const note = [...counts, `${errors} lost, ${mismatches} wrong`, memory].join(", ");
  return { name: `overload, ${4 * CONNECTIONS} connections, ${overload} s`, samplesPerSecond: rate, p50, p99, note };
}

/** autocannon in a process of its own: it compares, and takes as long for a request as a server. */
async function cannon({ url, body, headers }, connections, duration) {
  const answer = Buffer.from(await (await fetch(url, { method: "POST", body, headers })).arrayBuffer());
  const job = { url, headers, body: Buffer.from(body).toString("base64"), expected: String(answer) };
  const child = spawn(process.execPath, [script("peers/load.mjs")], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(JSON.stringify({ ...job, connections, duration }));
  const { latency, ...said } = JSON.parse(await text(child.stdout));
  const refused = Object.entries(said.statuses).reduce((n, [status, count]) => n + (status === "200" ? 0 : count), 0);
  const requests = Object.values(said.statuses).reduce((n, count) => n + count, 0);
  return { ...said, ...latency, requests, refused };
}

/** A server that prints its address as JSON. */
async function start(args) {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] });
  const said = await new Promise((resolve, reject) => {
    child.stdout.once("data", (bytes) => resolve(String(bytes)));
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
  });
  const memory = () => {
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)[1]) / 1024);
  };
  return { url: JSON.parse(said).url, pid: child.pid, memory, end: () => child.kill("SIGTERM") };
}

/** One request, whose answer must be what `predict` gives. */
async function check() {
  const response = await fetch(served.url + PATH, { method: "POST", body: asJson });
  const { outputs } = await response.json();
  const expected = model.predict(image).data;
  if (!outputs[0].data.every((p, i) => p === expected[i])) throw new Error("the server gives other numbers");
}
