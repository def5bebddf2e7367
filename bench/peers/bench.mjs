// `npm run bench:peers`: the Keras CNN predicting, against TF.js wasm, ONNX Runtime Web and, where python3 has it, PyTorch: same
// weights, one thread, one run, in alternation; predictions are compared before anything is timed.
//   --json  JSON instead of a table     --save  also writes ../results/peers-node<major>.json     --rounds N  default 20
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { images, weights } from "../cnn.mjs";
import { machine, publish } from "../machine.mjs";
import { measure } from "../measure.mjs";
import { digits, percent, table } from "../table.mjs";

const TOLERANCE = 1e-4; // largest difference of a predicted probability
const BATCHES = [1, 32];

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "20" },
    json: { type: "boolean", default: false },
    save: { type: "boolean", default: false },
  },
});

install();
const torch = await import("./torch.mjs");
const torchVersion = torch.version();
const peers = await Promise.all(["./lanewise.mjs", "./tfjs.mjs", "./ort.mjs"].map((file) => import(file)));
if (torchVersion) peers.push(torch);

const rows = [];
for (const batch of BATCHES) rows.push(...(await compare(batch)));
const { dependencies } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
const versions = { ...dependencies, torch: torchVersion ?? "not installed" };
publish("peers", { ...machine(), versions, rows }, text(), options);
process.exit(); // PyTorch's process waits for more

/** Rows `{ batch, peer, difference, ms, spread, ratio }`; `ratio` is our time over theirs. */
async function compare(batch) {
  const job = { weights: weights(), images: images(batch), batch };
  const tasks = [];
  for (const { name, prepare } of peers) tasks.push({ name, run: await prepare(job) });
  const [ours, ...theirs] = await Promise.all(tasks.map(async ({ run }) => Float32Array.from((await run()).data)));
  const differences = theirs.map((y) => y.reduce((max, x, i) => Math.max(max, Math.abs(x - ours[i])), 0));
  tasks.slice(1).forEach(({ name }, i) => {
    if (!(differences[i] <= TOLERANCE) || theirs[i].length !== ours.length)
      fail(`batch ${batch}: ${name} predicts something else (difference ${differences[i]})`);
  });
  const times = await measure(tasks, { rounds: Number(options.rounds) });
  return tasks.map(({ name }, i) => ({
    batch,
    peer: name,
    difference: i === 0 ? undefined : differences[i - 1],
    ...times[i],
    ratio: times[0].ms / times[i].ms,
  }));
}

function install() {
  try {
    const args = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
    execFileSync("npm", args, { cwd: new URL(".", import.meta.url), stdio: ["ignore", "ignore", "pipe"] });
  } catch (error) {
    fail(`the peers could not be installed: npm ci in bench/peers: ${firstLine(error.stderr) || error.message}`);
  }
}

function firstLine(output) {
  return String(output ?? "").split("\n", 1)[0];
}

function fail(message) {
  console.error(`bench:peers: ${message}`);
  process.exit(1);
}

function text() {
  const { cpu, runtime, commit, date } = machine();
  const cells = rows.map(({ batch, peer, ms, spread, ratio, difference }) => [
    `cnn predict, batch ${batch}, ${peer}`,
    digits(ms),
    percent(spread),
    ratio.toFixed(2),
    difference === undefined ? "" : difference.toExponential(1),
  ]);
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${cpu}; ${runtime}; ${commit}; ${date}; ${named.join(", ")}`,
    table(["one thread each", "ms", "spread", "ours / theirs", "max difference"], cells),
  ].join("\n\n");
}
