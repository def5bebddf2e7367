// `npm run bench:peers`: the Keras CNN in Lanewise, TF.js wasm, ONNX Runtime Web and, where python3 has it, PyTorch: the same
// weights, one thread each, one run, in alternation; results are compared before anything is timed.
//   --json  JSON instead of a table     --save  also writes ../results/peers-node<major>.json     --rounds N  default 20
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { machine, publish } from "../machine.mjs";
import { measure, quantile } from "../measure.mjs";
import { digits, percent, table } from "../table.mjs";

const HERE = new URL(".", import.meta.url);
const TOLERANCE = 1e-4; // largest difference of a predicted probability, or of the loss
const COLD_RUNS = 11;

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "20" },
    json: { type: "boolean", default: false },
    save: { type: "boolean", default: false },
  },
});

if (!installed()) install();
const { job } = await import("./job.mjs");
const pytorch = await import("./pytorch.mjs");
const files = ["./lanewise.mjs", "./tfjs.mjs", "./ort.mjs"];
const inJavaScript = await Promise.all(files.map((file) => import(file)));
const torch = pytorch.version();
const peers = torch ? [...inJavaScript, pytorch] : inJavaScript;
const { dependencies } = read("package.json");
const versions = { ...dependencies, torch: torch ?? "not there (python3 cannot import it)" };

const rows = [
  ...(await compare("predict", 1)),
  ...(await compare("predict", 32)),
  ...(await compare("train", 32)),
  ...cold(),
];
publish("peers", { ...machine(), versions, rows }, text(), options);
process.exit(); // PyTorch's processes wait for more

/** One row a peer: `{ task, peer, ms, spread, ratio, difference }`; `ratio` is our time over theirs, `difference` from our results. */
async function compare(task, batch) {
  const given = job(batch);
  const tasks = [];
  for (const peer of peers.filter((each) => each[task])) {
    const run = await peer[task](given);
    const { data } = await Promise.resolve(run()).catch((error) => fail(`${peer.name}: ${error.message}`));
    tasks.push({ name: peer.name, run, data });
  }
  for (const each of tasks) {
    each.difference = each.data.reduce((max, x, i) => Math.max(max, Math.abs(x - tasks[0].data[i])), 0);
    const same = each.data.length === tasks[0].data.length && each.difference <= TOLERANCE;
    if (!same) fail(`${task}, batch ${batch}: ${each.name} gives something else (difference ${each.difference})`);
  }
  const times = await measure(tasks, { rounds: Number(options.rounds) });
  return tasks.map(({ name, difference }, i) => {
    return { task: `${task}, batch ${batch}`, peer: name, ...times[i], ratio: times[0].ms / times[i].ms, difference };
  });
}

/** From import to first prediction, each in a fresh process, in turns. */
function cold() {
  const samples = files.map(() => []);
  for (let run = 0; run <= COLD_RUNS; run++) {
    files.forEach((file, i) => {
      const script = `import { job } from "./job.mjs";
        const given = job(1);
        const start = performance.now();
        const { predict } = await import("${file}");
        const run = await predict(given);
        await run();
        console.log(performance.now() - start);`;
      const ms = execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd: HERE, encoding: "utf8" });
      if (run > 0) samples[i].push(Number(ms)); // the first one reads the files from disk
    });
  }
  const ms = samples.map((times) => quantile(times, 0.5));
  return files.map((_, i) => ({
    task: "import to first prediction",
    peer: inJavaScript[i].name,
    ms: ms[i],
    spread: (quantile(samples[i], 0.75) - quantile(samples[i], 0.25)) / ms[i],
    ratio: ms[0] / ms[i],
  }));
}

/** Whether node_modules has every package in the version that the lock file names. */
function installed() {
  try {
    const { packages } = read("package-lock.json");
    return Object.entries(packages).every(
      ([path, { version }]) => !path || read(`${path}/package.json`).version === version,
    );
  } catch {
    return false;
  }
}

function read(file) {
  return JSON.parse(readFileSync(new URL(file, HERE), "utf8"));
}

function install() {
  try {
    const args = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
    execFileSync("npm", args, { cwd: HERE, stdio: ["ignore", "ignore", "pipe"], encoding: "utf8" });
  } catch ({ stderr, message }) {
    const code = /npm error code (\w+)/.exec(stderr)?.[1] ?? message;
    fail(`npm ci in bench/peers failed (${code}); it needs npm's registry or its cache`);
  }
}

function fail(message) {
  console.error(`bench:peers: ${message}`);
  process.exit(1);
}

function text() {
  const { cpu, runtime, commit, date } = machine();
  const cells = rows.map(({ task, peer, ms, spread, ratio, difference }) => [
    `${task}: ${peer}`,
    digits(ms),
    percent(spread),
    ratio.toFixed(2),
    difference === undefined ? "" : difference.toExponential(1),
  ]);
  return [
    `${cpu}; ${runtime}; ${commit}; ${date}`,
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", "),
    table(["Keras CNN, one thread", "ms", "spread", "ours / theirs", "difference"], cells),
  ].join("\n\n");
}
