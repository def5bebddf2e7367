// The runtimes that are a command with a script: Node 20 and 24, Deno, Bun. Each resolves "lanewise" by its own rules.
import { execFileSync } from "node:child_process";
import { join, resolve } from "node:path";
import { nodes } from "../../scripts/nodes.mjs";
import { type Runtime, start } from "./runtime.js";

const binary = (name: string) => resolve("node_modules/.bin", name);
const found = nodes();

export const commands: Runtime[] = [
  command("Node 20", found[20], ["main.mjs"], "no Node 20 on PATH, and no path to one in the variable NODE_20"),
  command("Node 24", found[24], ["main.mjs"]),
  command("Deno", binary("deno"), [
    "run",
    "--no-remote",
    "--no-lock",
    "--node-modules-dir=manual",
    "--allow-read=.",
    "main.mjs",
  ]),
  command("Bun", binary("bun"), ["--no-install", "main.mjs"]),
];

function command(name: string, path: string | undefined, args: string[], missing = "npm ci installs it"): Runtime {
  return {
    name,
    missing,
    version: () => path && /\d+(\.\d+)+/.exec(execFileSync(path, ["--version"], { encoding: "utf8" }))?.[0],
    run: async (folder) => {
      const env = { ...process.env, NODE_OPTIONS: "", DENO_DIR: join(folder, ".deno"), DENO_NO_UPDATE_CHECK: "1" };
      const running = start(path as string, args, { cwd: folder, env });
      const timer = setTimeout(running.kill, 150_000);
      const code = await running.ended;
      clearTimeout(timer);
      if (code !== 0) throw new Error(`${name} ended with ${code}\n${running.stdout()}${running.stderr()}`);
      return JSON.parse(running.stdout());
    },
  };
}
