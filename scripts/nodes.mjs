// The Node binaries to test and measure with: 24 is the `node` npm package, 20 is whichever of this machine's is version 20.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { at } from "./build/files.mjs";

/** `{ 20: path or undefined, 24: path }`. npm puts the `node` package's binary first on PATH, so PATH alone does not say. */
export function nodes() {
  const onPath = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "node"));
  const known = [process.env.NODE_20, process.env.npm_node_execpath, process.execPath, ...onPath];
  const own = at("node_modules/node/bin/node");
  const found = known.filter((path) => path && existsSync(path)).find((path) => major(path) === "20");
  return { 20: found, 24: existsSync(own) ? own : undefined };
}

function major(path) {
  return execFileSync(path, ["-p", "process.versions.node"], { encoding: "utf8" }).split(".")[0];
}
