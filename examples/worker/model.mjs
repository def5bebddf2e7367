// The model of the example, trained unless it is there.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const path = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Its file. */
export function model() {
  const file = path("digits.safetensors");
  if (existsSync(file)) return file;
  const train = ["train", path("train.mjs"), "--out", file];
  execFileSync(process.execPath, [path("../../dist/cli.js"), ...train], { stdio: "inherit" });
  return file;
}
