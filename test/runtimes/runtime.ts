// What a runtime is to these tests, and the processes they are.
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";

/** What report.mjs gives. */
export interface Report {
  simd?: Hashes;
  scalar?: Hashes;
  /** What `math: "relaxed"` gave. */
  relaxed?: { known: boolean; math: string; loaded: string; difference: number };
  /** The same on several threads, where the runtime has them. */
  threads?: (Hashes & { asked: number })[];
  /** Milliseconds of the first, SIMD run. */
  ms?: number;
  error?: string;
}

interface Hashes {
  hash: string;
  parts: Record<string, string>;
  /** That the model ran on. */
  threads: number;
}

export interface Runtime {
  readonly name: string;
  /** What to say when this machine lacks it. */
  readonly missing: string;
  /** Its version, or undefined when it is not on this machine. */
  version(): string | undefined;
  /** Runs the scenario on the package in `folder`. */
  run(folder: string): Promise<Report>;
}

/** A process of its own group, with what it says on standard output and standard error. */
export interface Process {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** The exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
  /** Kills the whole group (a browser is many processes) and waits for it. */
  kill(): Promise<void>;
}

export function start(command: string, args: readonly string[], options: SpawnOptions = {}): Process {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options, detached: true });
  const said = { stdout: "", stderr: "" };
  child.stdout?.on("data", (bytes) => (said.stdout += bytes));
  child.stderr?.on("data", (bytes) => (said.stderr += bytes));
  const killGroup = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // the group is gone
    }
  };
  process.once("exit", killGroup);
  const ended = new Promise<number | string>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(code ?? signal ?? 0));
  });
  ended.catch(() => {}); // a failed start is reported by whoever awaits it
  return {
    child,
    stdout: () => said.stdout,
    stderr: () => said.stderr,
    ended,
    kill: async () => {
      killGroup();
      await ended.catch(() => {});
      process.off("exit", killGroup);
    },
  };
}

/** `promise`, or an error with what the process said once it ends or `seconds` have passed. */
export async function answer<T>(promise: Promise<T>, from: Process, seconds = 150): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${seconds} s`)), seconds * 1000);
  });
  const ended = from.ended.then((code) => {
    throw new Error(`ended with ${code} before it answered`);
  });
  try {
    return await Promise.race([promise, late, ended]);
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${from.stdout().slice(-2000)}${from.stderr().slice(-4000)}`);
  } finally {
    clearTimeout(timer);
  }
}
