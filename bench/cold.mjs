// `npm run bench:cold`: from importing the package to the first prediction of the Keras CNN, each time in a fresh process, and
// beside it a process that does nothing. Reads no source: what is measured is dist/, as published.
import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { nodes } from "../scripts/nodes.mjs";

const RUNS = Number(process.argv[2] ?? 25);
const BARE = `const start = performance.now(); await 0;`;
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
const { data } = model.predict(new Float32Array(28 * 28));
if (Math.abs(data.reduce((a, b) => a + b) - 1) > 1e-5) throw new Error("not a distribution: " + data);
`;
const REPORT = `const end = performance.now();
const [imported_, built_] = typeof built === "undefined" ? [start, start] : [imported, built];
console.log(JSON.stringify({
  import: imported_ - start, build: built_ - imported_, predict: end - built_, total: end - start,
  rss: process.memoryUsage.rss() / 2 ** 20,
}));`;

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

/** One process; `wall` is its whole life, seen from outside. */
function run(node, script) {
  const cwd = fileURLToPath(new URL("..", import.meta.url)); // so that "lanewise" is this package, by its own exports
  const start = performance.now();
  const output = execFileSync(node, ["--input-type=module", "-e", script + REPORT], { cwd, encoding: "utf8" });
  return { ...JSON.parse(output), wall: performance.now() - start };
}

console.log(`${cpus()[0].model}, medians of ${RUNS} processes each, in turns; ms and MB`);
console.log("node       import   build  predict   total   process beyond bare   RSS beyond bare");
for (const node of Object.values(nodes()).filter(Boolean)) {
  const version = execFileSync(node, ["--version"], { encoding: "utf8" }).trim();
  const cnn = [];
  const bare = [];
  for (let i = 0; i <= RUNS; i++) {
    const pair = [run(node, BARE), run(node, CNN)];
    if (i === 0) continue; // the first one reads the files from disk
    bare.push(pair[0]);
    cnn.push(pair[1]);
  }
  const of = (key, digits = 1) => median(cnn.map((run) => run[key])).toFixed(digits);
  const beyond = (key) => median(cnn.map((run, i) => run[key] - bare[i][key])).toFixed(1);
  console.log(
    version.padEnd(10) +
      of("import").padStart(7) +
      of("build").padStart(8) +
      of("predict").padStart(9) +
      of("total").padStart(8) +
      beyond("wall").padStart(22) +
      beyond("rss").padStart(18),
  );
}
