// Load by wrk, a program of its own that takes far less time for a request than a server: https://github.com/wg/wrk, a package of Debian.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What it says of itself; undefined where it is not installed. */
export function wrkVersion() {
  try {
    execFileSync("wrk", ["-v"], { encoding: "utf8", stdio: "pipe" });
  } catch ({ stdout }) {
    return /wrk (\S+)/.exec(stdout)?.[1]; // it says so and ends with 1
  }
}

/**
 * Posts one body over and over.
 * @param job.url where to @param job.body bytes @param job.headers texts by name
 * @returns `{ requests, rate, p50, p99, refused }`: how many, per second, milliseconds, and how many answers had another status than 2xx or 3xx
 */
export function wrk({ url, body, headers }, connections, seconds) {
  const folder = mkdtempSync(join(tmpdir(), "lanewise-wrk-"));
  try {
    writeFileSync(join(folder, "body"), body);
    const set = Object.entries(headers).map(([name, value]) => `wrk.headers[${quoted(name)}] = ${quoted(value)}`);
    const read = `wrk.body = io.open(${quoted(join(folder, "body"))}, "rb"):read("*a")`;
    writeFileSync(join(folder, "post.lua"), ['wrk.method = "POST"', read, ...set, ""].join("\n"));
    const args = ["-t1", `-c${connections}`, `-d${seconds}`, "--latency", "-s", join(folder, "post.lua"), url];
    const said = execFileSync("wrk", args, { encoding: "utf8" });
    if (/Socket errors/.test(said)) throw new Error(`wrk: ${/Socket errors.*/.exec(said)[0]}`);
    return {
      requests: Number(/(\d+) requests in/.exec(said)[1]),
      rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(said)[1]),
      p50: milliseconds(/^ +50% +(\S+)/m.exec(said)[1]),
      p99: milliseconds(/^ +99% +(\S+)/m.exec(said)[1]),
      refused: Number(/Non-2xx or 3xx responses: (\d+)/.exec(said)?.[1] ?? 0),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const quoted = (text) => JSON.stringify(String(text));

const UNITS = { us: 0.001, ms: 1, s: 1000, m: 60_000 };

function milliseconds(text) {
  const [, value, unit] = /^([\d.]+)([a-z]+)$/.exec(text);
  return Number(value) * UNITS[unit];
}
