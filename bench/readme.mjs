// `npm run bench:readme`: writes the last saved `npm run bench:peers`, `npm run bench:tflite`, where there is one, and `npm run bench` on
// Node 24 into the README, between its two marks.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { digits, times } from "./table.mjs";

const README = new URL("../README.md", import.meta.url);
const [BEGIN, END] = ["<!-- npm run bench:readme -->\n", "<!-- end -->"];

const PEERS = {
  "TF.js wasm": "@tensorflow/tfjs-core",
  "ONNX Runtime Web": "onnxruntime-web",
  "jax-js": "@jax-js/jax",
  "LiteRT.js": "@litertjs/core",
  "tfjs-tflite": "@tensorflow/tfjs-tflite",
  PyTorch: "torch",
};

/** The README as it should be. */
export function readme() {
  const text = readFileSync(README, "utf8");
  const [begin, end] = [text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)];
  if (begin < BEGIN.length || end < begin) throw new Error(`README.md has no ${BEGIN.trim()} ... ${END}`);
  const peers = saved("peers-node24");
  const models = existsSync(fileOf("tflite-node24")) ? [tflite(saved("tflite-node24"))] : [];
  const tables = [measured(peers), ...models, coldStart(saved("bench-node24"), peers.by)];
  return [text.slice(0, begin), ...tables, text.slice(end)].join("\n");
}

const fileOf = (name) => new URL(`results/${name}.json`, import.meta.url);

const saved = (name) => JSON.parse(readFileSync(fileOf(name), "utf8"));

const line = (cells) => `| ${cells.join(" | ")} |`;

/** `by`: medians or the fastest, as in the table. */
function coldStart({ runtime, commit, date, rows }, by) {
  const value = (row) => (row[by] === undefined ? `${digits(row.megabytes)} MB` : `${digits(row[by])} ms`);
  const some = (section, where) =>
    rows.filter((row) => row.section === section).map((row) => line([`${where}: ${row.name}`, value(row)]));
  return [
    `Cold start, each in fresh processes; ${runtime}, commit ${commit}, ${date}.\n`,
    line(["", ""]),
    line(["---", "---:"]),
    ...some("cold start", "Node"),
    ...some("workerd CPU", "workerd"),
    "",
  ].join("\n");
}

/** Models in TensorFlow Lite's format, batch 1. */
function tflite({ by, runtime, commit, date, versions, rows }) {
  const there = Object.keys(PEERS).filter((peer) => rows.some(({ peers }) => peers[peer]));
  return [
    `Models of TensorFlow Lite at batch 1; ${runtime}, commit ${commit}, ${date}${by === "min" ? "; the fastest calls" : ""}.\n`,
    line(["", "Lanewise, us", ...there.map((peer) => `${peer} ${versions[PEERS[peer]]}`)]),
    line(["---", ...Array(1 + there.length).fill("---:")]),
    ...rows.map(({ name, ms, peers }) =>
      line([name, digits(1000 * ms), ...there.map((peer) => (peers[peer] ? times(peers[peer].ratio) : ""))]),
    ),
    "",
  ].join("\n");
}

function measured({ by, cpu, runtime, commit, date, versions, rows }) {
  const there = Object.keys(PEERS).filter((peer) => rows.some(({ peers }) => peers[peer]?.ms));
  const title = (peer) => `${peer} ${versions[PEERS[peer]]}${peer === "PyTorch" ? ", native" : ""}`;
  const ratio = ({ ratio, failed } = {}) => (ratio ? times(ratio) : failed ? "fails" : "");
  return [
    `${cpu}; ${runtime}; commit ${commit}, ${date}${by === "min" ? "; the fastest calls, as the machine had other work" : ""}.\n`,
    line(["", "Lanewise, ms", ...there.map(title)]),
    line(["---", ...Array(1 + there.length).fill("---:")]),
    ...rows.map(({ name, peers }) =>
      line([name, digits(peers.lanewise[by]), ...there.map((peer) => ratio(peers[peer]))]),
    ),
    "",
  ].join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(README, readme());
