// PyTorch, native: pytorch.py in one process that lives as long as this one and times each call by itself. PYTHON names another
// interpreter. Lines of JSON go both ways, numbers in base64.
import { execFileSync, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PYTHON = process.env.PYTHON ?? "python3";

/** Its version, or `undefined` where there is none. */
export function version() {
  try {
    const args = ["-c", "import torch; print(torch.__version__)"];
    return execFileSync(PYTHON, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}

export const name = "PyTorch";

let child;
let answers;
let statistic;

/** @param options.by `median` or `min`: what it tells of the calls that it makes for each question */
export async function load({ by }) {
  statistic = by;
  const script = fileURLToPath(new URL("pytorch.py", import.meta.url));
  child = spawn(PYTHON, [script], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.on("error", () => {}); // it has ended: the next answer says so
  answers = createInterface(child.stdout)[Symbol.asyncIterator]();
}

/** Lets the process end. */
export const unload = () => child?.kill();

async function ask(question) {
  child.stdin.write(`${JSON.stringify(question)}\n`);
  const { value, done } = await answers.next();
  if (done) throw new Error("pytorch.py ended without an answer");
  const { error, ...answer } = JSON.parse(value);
  if (error) throw new Error(error);
  return answer;
}

const encode = ({ data, shape }) => ({
  data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64"),
  shape,
});

function decode(text) {
  const bytes = Buffer.from(text, "base64");
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

async function start(question) {
  const { result } = await ask(question);
  return {
    run: () => ask({ run: question.task, by: statistic }),
    read: () => decode(result),
  };
}

export const op = ({ op, options, inputs }, operands) =>
  start({ task: "op", op, options, inputs: inputs.length, operands: operands.map(encode) });

const cnn = (task, { weights, images, labels, batch }) =>
  start({
    task,
    weights: Object.values(weights).map(encode),
    images: encode({ data: images, shape: [batch, 28, 28, 1] }),
    labels: [...labels],
  });

export const predict = (job) => cnn("predict", job);
export const train = (job) => cnn("train", job);
