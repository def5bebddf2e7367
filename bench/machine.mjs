// What a number was measured on, and where results are kept.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { arch, cpus, platform } from "node:os";

/** Machine, runtime and commit, without which a number says nothing. */
export const machine = (runtime = `Node ${process.version}`) => ({
  machine: `${platform()} ${arch()}`,
  cpu: `${cpus()[0].model.trim()}, ${cpus().length} threads`,
  runtime,
  commit: commit(),
  date: new Date().toISOString().slice(0, 10),
});

/** The same as one line. */
export const heading = ({ machine, cpu, runtime, commit, date }) =>
  [`${cpu} (${machine})`, runtime, commit, date].join("; ");

export const NODE = `node${process.versions.node.split(".")[0]}`;

/** The commit, "-dirty" where files differ from it; results that were just saved do not count. */
function commit() {
  const git = (...args) =>
    execFileSync("git", args, { cwd: new URL(".", import.meta.url), encoding: "utf8", stdio: "pipe" }).trim();
  try {
    const changed = git("status", "--porcelain", "--untracked-files=no", "--", ":/", ":(top,exclude)bench/results");
    return git("rev-parse", "--short=10", "HEAD") + (changed && "-dirty");
  } catch {
    return "no commit";
  }
}

/** What a file's name says of the kernels. */
export const mathSuffix = (math) => (math === "exact" ? "" : `-${math}`);

/** Prints a report as text or JSON, and with `save` keeps it as results/<name>.json: one file each, the latest. */
export function publish(name, report, text, { json, save }) {
  const lines = JSON.stringify(report, short, 2);
  console.log(json ? lines : text);
  if (!save) return;
  const folder = new URL("results/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL(`${name}.json`, folder), `${lines}\n`);
}

/** Measured numbers have no more than four digits worth keeping. */
const short = (_, x) => (typeof x === "number" && !Number.isInteger(x) ? Number(x.toPrecision(4)) : x);

/** Tells on a terminal which round it is, and wipes that at the end. */
export function onRound(round, rounds) {
  if (!process.stderr.isTTY) return;
  process.stderr.write(round === rounds ? "\r\u001b[K" : `\rround ${round + 1}/${rounds}\u001b[K`);
}
