// The model of the example, trained unless it is there.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { kv } from "./kv.mjs";

const path = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Its file. */
export function model() {
  link();
  const file = path("digits.safetensors");
  if (existsSync(file)) return file;
  const train = ["train", path("train.mjs"), "--out", file];
  const cli = new URL("dist/cli.js", import.meta.resolve("lanewise/package.json"));
  execFileSync(process.execPath, [fileURLToPath(cli), ...train], { stdio: "inherit" });
  return file;
}

/** A namespace of {@link kv} with the model published into it. */
export async function published(version) {
  const file = model();
  const { load } = await import("lanewise");
  const { kvStore, publish } = await import("lanewise/serve");
  const made = kv();
  await publish(kvStore(made.namespace), "digits", await load(readFileSync(file)), { version });
  return made;
}

/** Within the package's own repository it needs no installing. */
function link() {
  if (existsSync(path("node_modules/lanewise")) || !existsSync(path("../../src/index.ts"))) return;
  mkdirSync(path("node_modules"), { recursive: true });
  symlinkSync(path("../.."), path("node_modules/lanewise"), "junction");
}
