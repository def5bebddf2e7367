// PyTorch, native: pytorch.py in a process of its own, which times each call by itself. PYTHON names another interpreter.
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
export const predict = (job) => start("predict", job);
export const train = (job) => start("train", job);

function start(task, { weights, images, labels }) {
  const script = fileURLToPath(new URL("pytorch.py", import.meta.url));
  const child = spawn(PYTHON, [script], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.on("error", () => {}); // it has ended: the next answer says so
  const plain = Object.values(weights).map(({ data, shape }) => ({ data: [...data], shape }));
  child.stdin.write(`${JSON.stringify({ task, weights: plain, images: [...images], labels: [...labels] })}\n`);
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  return async () => {
    child.stdin.write("\n");
    const { value, done } = await answers.next();
    if (done) throw new Error("it ended without an answer");
    return JSON.parse(value);
  };
}
