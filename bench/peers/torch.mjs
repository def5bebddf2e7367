// PyTorch, native: torch.py in a process of its own, which times each prediction by itself.
import { execFileSync, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PYTHON = process.env.PYTHON ?? "python3";

/** Its version, or `undefined` where PyTorch is not installed. */
export function version() {
  try {
    const args = ["-c", "import torch; print(torch.__version__)"];
    return execFileSync(PYTHON, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}

export const name = "PyTorch";

export async function prepare({ weights, images, batch }) {
  const child = spawn(PYTHON, [fileURLToPath(new URL("torch.py", import.meta.url))], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.unref();
  child.stdin.unref();
  child.stdout.unref();
  const plain = Object.values(weights).map(({ data, shape }) => ({ data: [...data], shape }));
  child.stdin.write(`${JSON.stringify({ weights: plain, images: [...images], batch })}\n`);
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  return async () => {
    child.stdin.write("\n");
    const { value, done } = await answers.next();
    if (done) throw new Error("PyTorch ended without an answer");
    return JSON.parse(value);
  };
}
