// The built package, packed and unpacked but otherwise untouched, in every runtime it is for. All give one hash, and so does
// the scalar build of the kernels. A runtime that this machine lacks is skipped aloud; with CI set, it is a failure.
import { cpSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Packed, pack } from "../packed.js";
import { browsers } from "./browsers.js";
import { commands } from "./commands.js";
import type { Report } from "./runtime.js";
import { workerd } from "./workerd.js";

const FILES = ["main.mjs", "report.mjs", "scenario.mjs", "sha256.mjs", "worker.mjs"];
let packed: Packed;
const rows: string[] = [];
const reports = new Map<string, Report>();

beforeAll(() => {
  packed = pack();
  for (const file of FILES) cpSync(join("test/runtimes", file), join(packed.folder, file));
  cpSync("build/kernels.scalar.wasm", join(packed.folder, "kernels.scalar.wasm"));
}, 120_000);

const runtimes = [...commands, workerd(() => packed), ...browsers(() => packed)];
const missing = runtimes.filter((runtime) => runtime.version() === undefined);

const named = runtimes.map((runtime) => [runtime.name, runtime] as const);
const TIMEOUT = 200_000; // above the one that runtime.ts says more with
test.for(named)(
  "%s trains, saves and loads, with SIMD and scalar kernels alike",
  { timeout: TIMEOUT },
  async ([, runtime], { skip }) => {
    const version = runtime.version();
    if (version === undefined && !process.env.CI) skip(runtime.missing);
    expect(version, runtime.missing).toBeDefined();
    const report = await runtime.run(packed.folder);
    rows.push(`${runtime.name.padEnd(10)}${version?.padEnd(16)}${report.simd?.hash.slice(0, 16)}  ${report.ms} ms`);
    reports.set(runtime.name, report);
    expect(report.error).toBeUndefined();
    expect(report.scalar).toEqual(report.simd);
  },
);

test.for(named)("%s runs relaxed kernels where it knows them, near the exact ones", ([name], { skip }) => {
  const report = reports.get(name);
  if (report === undefined && missing.some((runtime) => runtime.name === name)) skip("this machine lacks it");
  const { known, math, loaded, difference } = report?.relaxed ?? {};
  // Edge runtimes compile no bytes; there the file is imported and given to `build` as `kernels`.
  expect([math, loaded]).toEqual(known && name !== "workerd" ? ["relaxed", "relaxed"] : ["exact", "exact"]);
  if (math === "exact") expect(difference).toBe(0);
  expect(difference).toBeLessThan(1e-5);
});

test.for(named)("%s gives the same bits on one, two and three threads", ([name], { skip }) => {
  const report = reports.get(name);
  if (report === undefined && missing.some((runtime) => runtime.name === name)) skip("this machine lacks it");
  expect(report?.simd?.threads).toBe(1);
  for (const { asked, threads, hash, parts } of report?.threads ?? []) {
    expect(threads).toBe(name === "workerd" ? 1 : asked); // edge runtimes have no workers
    expect({ hash, parts, threads: 1 }).toEqual(report?.simd);
  }
  expect(report?.threads).toHaveLength(2);
});

test("all runtimes give one hash", () => {
  const [first, ...others] = reports.values();
  expect(first.simd?.hash).toMatch(/^[0-9a-f]{64}$/);
  for (const other of others) expect(other.simd).toEqual(first.simd);
  expect(reports.size).toBe(runtimes.length - missing.length);
});

afterAll(() => {
  packed?.remove();
  const word = process.env.CI ? "MISSING" : "SKIPPED";
  if (missing.length > 0) rows.push("", `${missing.length} of ${runtimes.length} runtimes ${word}`);
  for (const { name, missing: what } of missing) rows.push(`${word} ${name}: ${what}`);
  console.log(rows.join("\n"));
});
