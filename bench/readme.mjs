// `npm run bench:readme`: writes the last saved `npm run bench:peers` on Node 24 into the README, between its two marks.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { digits, times } from "./table.mjs";

const README = new URL("../README.md", import.meta.url);
const RESULTS = new URL("results/peers-node24.json", import.meta.url);
const [BEGIN, END] = ["<!-- npm run bench:readme -->\n", "<!-- end -->"];

const PEERS = {
  "TF.js wasm": "@tensorflow/tfjs-core",
  "ONNX Runtime Web": "onnxruntime-web",
  "jax-js": "@jax-js/jax",
  "LiteRT.js": "@litertjs/core",
  PyTorch: "torch",
};

/** The README as it should be. */
export function readme() {
  const text = readFileSync(README, "utf8");
  const [begin, end] = [text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)];
  if (begin < BEGIN.length || end < begin) throw new Error(`README.md has no ${BEGIN.trim()} ... ${END}`);
  return `${text.slice(0, begin)}\n${measured(JSON.parse(readFileSync(RESULTS, "utf8")))}\n${text.slice(end)}`;
}

function measured({ by, cpu, runtime, commit, date, versions, rows }) {
  const there = Object.keys(PEERS).filter((peer) => rows.some(({ peers }) => peers[peer]?.ms));
  const title = (peer) => `${peer} ${versions[PEERS[peer]]}${peer === "PyTorch" ? ", native" : ""}`;
  const ratio = ({ ratio, failed } = {}) => (ratio ? times(ratio) : failed ? "fails" : "");
  const line = (cells) => `| ${cells.join(" | ")} |`;
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
