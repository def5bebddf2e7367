// `npm run bench:serve`: the CNN behind `lanewise serve`, asked over loopback by autocannon in a process of its own: samples per second in JSON
// and as bytes beside what bare `predict` reaches at the server's batch size, then four times the load, where nothing may be lost.
//   --seconds N  of each run, default 10      --overload N  seconds of the overload, default 120 (0 leaves it out)
//   --batch N  samples the server predicts together, default 32     --only, --rounds, --json, --save as for others
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { save } from "lanewise";
import { images } from "./cnn.mjs";
import { heading, machine, NODE, publish } from "./machine.mjs";
import { measure } from "./measure.mjs";
import { cnn } from "./model.mjs";
import { readOptions } from "./options.mjs";
import { install } from "./peers/install.mjs";
import { digits, table } from "./table.mjs";

const CONNECTIONS = 64;

const options = readOptions("bench:serve", 20, {
  seconds: { type: "string", default: "10" },
  overload: { type: "string", default: "120" },
  batch: { type: "string", default: "32" },
});
const [seconds, overload, batch] = [options.seconds, options.overload, options.batch].map(Number);
const { autocannon } = install();

const home = await mkdtemp(join(tmpdir(), "lanewise-bench-"));
const model = await cnn();
const file = join(home, "cnn.safetensors");
writeFileSync(file, save(model));
const [image] = [images(1)];
const expected = model.predict(image).data;

const x = images(batch);
const [bare] = await measure([{ name: "predict", run: () => model.predict(x) }], { rounds: options.rounds });
const floor = { name: `predict, batch ${batch}, no server`, samplesPerSecond: (1000 * batch) / bare.ms };

const spec = { name: model.inputs[0].name, shape: [1, 28, 28, 1], datatype: "FP32" };
const json = JSON.stringify({ inputs: [{ ...spec, data: [...image] }] });
const head = Buffer.from(
  JSON.stringify({
    inputs: [{ ...spec, parameters: { binary_data_size: 4 * image.length } }],
    parameters: { binary_data_output: true },
  }),
);
const binary = Buffer.concat([head, Buffer.from(image.buffer)]);
const forms = {
  "as bytes": { body: binary, headers: { "inference-header-content-length": String(head.length) } },
  "as JSON": { body: json, headers: { "content-type": "application/json" } },
};

const server = await start();
const rows = [];
try {
  await check(server.url);
  for (const [name, form] of Object.entries(forms).filter(([name]) => name.includes(options.only))) {
    await load(form, CONNECTIONS, 2); // until the engine has compiled what it will
    const { rate, latency, statuses } = await load(form, CONNECTIONS, seconds);
    rows.push({ name: `one sample a request, ${name}`, samplesPerSecond: rate, ...latency, statuses });
  }
  if (overload > 0) {
    const before = server.memory();
    const { rate, latency, statuses, errors, mismatches } = await load(forms["as bytes"], 4 * CONNECTIONS, overload);
    const memory = { before, after: server.memory() };
    await check(server.url);
    rows.push({
      name: `overload, ${overload} s`,
      samplesPerSecond: rate,
      ...latency,
      statuses,
      errors,
      mismatches,
      memory,
    });
  }
} finally {
  server.end();
  await rm(home, { recursive: true });
}

const report = { ...machine(), autocannon, connections: CONNECTIONS, batch, floor, rows };
const line = ({ name, samplesPerSecond, p50, p99, statuses, errors, mismatches, memory }) => [
  name,
  String(Math.round(samplesPerSecond)),
  (samplesPerSecond / floor.samplesPerSecond).toFixed(2),
  p50 === undefined ? "" : digits(p50),
  p99 === undefined ? "" : digits(p99),
  [
    ...Object.entries(statuses ?? {}).map(([status, count]) => `${count} x ${status}`),
    ...(memory ? [`${errors} lost, ${mismatches} wrong, ${memory.before} MB before, ${memory.after} MB after`] : []),
  ].join(", "),
];
const heads = ["", "samples/s", "of predict", "p50 ms", "p99 ms", ""];
publish(`serve-${NODE}`, report, [heading(report), table(heads, [floor, ...rows].map(line))].join("\n"), options);

/** The command on a free port. */
async function start() {
  const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
  const args = [cli, "serve", file, "--port", "0", "--json", "--max-batch", String(batch)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] });
  const said = await new Promise((resolve, reject) => {
    child.stdout.once("data", (bytes) => resolve(String(bytes)));
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
  });
  const memory = () => {
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)[1]) / 1024);
  };
  return { url: JSON.parse(said).url, memory, end: () => child.kill("SIGTERM") };
}

/** One request, whose answer must be what `predict` gives. */
async function check(url) {
  const response = await fetch(`${url}/v2/models/cnn/infer`, { method: "POST", body: json });
  const { outputs } = await response.json();
  if (!outputs[0].data.every((p, i) => p === expected[i])) throw new Error("the server gives other numbers");
}

/** autocannon in a process of its own: the server has a core for itself. */
async function load({ body, headers }, connections, time) {
  const answer = Buffer.from(
    await (await fetch(`${server.url}/v2/models/cnn/infer`, { method: "POST", body, headers })).arrayBuffer(),
  );
  const job = {
    url: `${server.url}/v2/models/cnn/infer`,
    headers,
    body: Buffer.from(body).toString("base64"),
    expected: answer.toString(),
    connections,
    duration: time,
  };
  const script = fileURLToPath(new URL("peers/load.mjs", import.meta.url));
  const child = spawn(process.execPath, [script], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(JSON.stringify(job));
  return JSON.parse(await text(child.stdout));
}
