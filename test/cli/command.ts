// The command as its users run it: the built file, in a process of its own.
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll } from "vitest";

const cli = resolve("dist/cli.js");
const running = new Set<ChildProcess>();

/** A folder for this file's tests; the command is built before them. */
export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "lanewise-cli-"));
  beforeAll(() => {
    execFileSync(process.execPath, ["scripts/build.mjs", "--quick"], { stdio: "ignore" });
  }, 300_000);
  afterAll(() => {
    for (const child of running) child.kill("SIGKILL"); // of tests that failed
    rmSync(made, { recursive: true, force: true, maxRetries: 5 });
  });
  return made;
}

export interface Result {
  code: number | null;
  stdout: string;
  stderr: string;
}

export function lanewise(args: readonly string[], input: string | Uint8Array = ""): Result {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { input, maxBuffer: 2 ** 26 });
  return { code: status, stdout: stdout.toString(), stderr: stderr.toString() };
}

/** What a command that succeeds writes as JSON. */
// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely here
export function json(args: readonly string[], input?: string | Uint8Array): any {
  const { code, stdout, stderr } = lanewise(args, input);
  if (code !== 0) throw new Error(`lanewise ${args.join(" ")} ended with ${code}\n${stderr}`);
  return JSON.parse(stdout);
}

export interface Server {
  url: string;
  models: string[];
  child: ChildProcess;
  stderr: () => string;
  /** Sends a signal; the exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** `lanewise serve` on a free port, once it serves. */
export const serving = (...args: string[]): Promise<Server> => servingOn([process.execPath], args);

/** The same in a Node of choice: its path and options. */
export async function servingOn([node, ...options]: readonly string[], args: readonly string[]): Promise<Server> {
  const child = spawn(node, [...options, cli, "serve", ...args, "--port", "0", "--json"], {
    stdio: ["pipe", "pipe", "pipe", "ipc"],
  });
  running.add(child);
  child.on("close", () => running.delete(child));
  let [stdout, stderr] = ["", ""];
  child.stderr?.on("data", (bytes) => {
    stderr += bytes;
  });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout?.on("data", (bytes) => {
      stdout += bytes;
      if (stdout.includes("\n")) resolve(stdout);
    });
    ended.then((code) => reject(new Error(`ended with ${code}\n${stderr}`)));
  });
  return {
    ...JSON.parse(line),
    child,
    stderr: () => stderr,
    end: (signal) => {
      child.kill(signal);
      return ended;
    },
  };
}
