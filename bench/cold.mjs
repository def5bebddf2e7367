// From importing the package to the first prediction of the Keras CNN, each time in a fresh process, and beside it a process that does
// nothing: rows of `npm run bench`, and by itself, as `npm run bench:cold`, for every Node that is there. Reads no source: what is
// measured is dist/, as published. The first prediction is the one that runs before the engine has compiled the kernels anew.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { nodes } from "../scripts/nodes.mjs";
import { heading, machine, publish } from "./machine.mjs";
import { summary } from "./measure.mjs";
import { readOptions } from "./options.mjs";
import { digits, percent, table } from "./table.mjs";

const LATER = 200; // predictions after which the engine has compiled all it wants to
const BARE = `const start = performance.now(); await 0; const imported = start, built = start, predicted = start;`;
const CNN = `const start = performance.now();
const { build, conv2d, dense, flatten, input, maxPooling2d, sequential } = await import("lanewise");
const imported = performance.now();
const relu = { activation: "relu" };
const network = sequential(
  conv2d(32, 3, relu), maxPooling2d(2), conv2d(64, 3, relu), maxPooling2d(2),
  flatten(), dense(64, relu), dense(10, { activation: "softmax" }),
);
const model = await build(input([28, 28, 1]), network);
const built = performance.now();
const image = new Float32Array(28 * 28);
const { data } = model.predict(image);
const predicted = performance.now();
if (Math.abs(data.reduce((a, b) => a + b) - 1) > 1e-5) throw new Error("not a distribution: " + data);
`;
const REPORT = `const rss = process.memoryUsage.rss() / 1e6;
let warm = 0;
if (typeof model === "object") {
  for (let i = 0; i < ${LATER}; i++) {
    const begin = performance.now();
    model.predict(image);
    warm = performance.now() - begin;
  }
}
console.log(JSON.stringify({
  import: imported - start, build: built - imported, first: predicted - built, total: predicted - start, warm, rss,
}));`;

/** One process. */
function run(node, script) {
  const cwd = fileURLToPath(new URL("..", import.meta.url)); // so that "lanewise" is this package, by its own exports
  return JSON.parse(
    execFileSync(node, ["--input-type=module", "-e", script + REPORT], { cwd, encoding: "utf8", stdio: "pipe" }),
  );
}

const ROWS = [
  ["import", "import"],
  ["build", "build the CNN"],
  ["first", "first prediction, before tier-up"],
  ["total", "import to first prediction"],
  ["warm", `prediction number ${LATER + 1}`],
];

/**
 * `{ section: "cold start", name, ms, spread, min }`, and the memory as `megabytes` beyond a bare process.
 * @param processes how many of each kind, in turns; one more goes before them and reads the files from disk
 */
export function coldRows(processes, node = process.execPath) {
  const samples = [];
  for (let i = 0; i <= processes; i++) {
    const [bare, ours] = [run(node, BARE), run(node, CNN)];
    if (i > 0) samples.push({ ...ours, rss: ours.rss - bare.rss });
  }
  const of = (key) => summary(samples.map((sample) => sample[key]));
  const { ms: megabytes, ...rest } = of("rss");
  return [
    ...ROWS.map(([key, name]) => ({ name, ...of(key) })),
    { name: "resident memory over bare Node", megabytes, spread: rest.spread },
  ].map((row) => ({ section: "cold start", ...row }));
}

export const coldTable = (title, rows) =>
  table(
    [title, "", "spread"],
    rows.map(({ name, ms, megabytes, spread }) => [
      name,
      ms === undefined ? `${digits(megabytes)} MB` : `${digits(ms)} ms`,
      percent(spread),
    ]),
  );

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const options = readOptions("bench:cold", 25);
  const results = Object.values(nodes())
    .filter(Boolean)
    .map((node) => {
      const runtime = `Node ${execFileSync(node, ["--version"], { encoding: "utf8" }).trim()}`;
      const rows = coldRows(options.rounds, node).filter(({ name }) => name.includes(options.only));
      return { runtime, rows };
    });
  const { runtime: _, ...rest } = machine();
  const tables = results.map(({ runtime, rows }) => coldTable(runtime, rows));
  const text = [heading(machine("fresh processes, in turns")), ...tables].join("\n\n");
  publish("cold", { ...rest, results }, text, options);
}
