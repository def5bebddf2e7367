// The benchmarks run, print JSON that says what it was measured on, and refuse what they do not know. No time is asserted.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { readme } from "../bench/readme.mjs";
import { rows } from "../bench/rows.mjs";

const run = (script: string, ...args: string[]) =>
  spawnSync(process.execPath, [script, ...args], { encoding: "utf8", env: { ...process.env, NODE_OPTIONS: "" } });

beforeAll(() => {
  // The benchmarks measure dist/, as users have it.
  expect(run("scripts/build.mjs", "--quick").status).toBe(0);
}, 120_000);

const positive = expect.toSatisfy((x) => typeof x === "number" && x > 0, "a positive number");
const measured = { name: expect.any(String), ms: positive, spread: expect.any(Number), min: positive };
const heading = {
  machine: expect.any(String),
  cpu: expect.any(String),
  commit: expect.any(String),
  date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
};
const kernels = ["gemm 128", "gemm 128, constant b"].map((name) => ({
  ...measured,
  section: "kernel",
  name,
  gflops: positive,
  gbps: positive,
  ofRoof: positive,
  roof: "peak",
}));

const SHORT = ["--only", "kernel gemm 128", "--rounds", "1", "--json"];

test.each([
  ["bench.mjs", [], /^Node v\d+/],
  ["runtimes/bench.mjs", ["bun"], /^Bun \d+/],
  ["runtimes/bench.mjs", ["deno"], /^Deno \d+/],
  ["runtimes/bench.mjs", ["workerd"], /^workerd \d+/],
])("%s %s gives JSON with the roofs and the rows that were asked for", (script, args, runtime) => {
  const { status, stdout, stderr } = run(`bench/${script}`, ...args, ...SHORT);
  expect(status, stderr).toBe(0);
  const report = JSON.parse(stdout);
  expect(report).toMatchObject({ ...heading, math: "exact", runtime: expect.stringMatching(runtime), peak: positive });
  const of = (section: string) => report.rows.filter((row: { section: string }) => row.section === section);
  expect(of("roof").map(({ name }: { name: string }) => name)).toEqual(ROOFS);
  expect(of("roof")).toEqual(ROOFS.map((name) => expect.objectContaining({ ...measured, name })));
  expect(of("kernel")).toEqual(kernels.map((row) => expect.objectContaining(row)));
  expect(report.rows.length).toBe(ROOFS.length + kernels.length);
});

test("threads.mjs gives JSON with what several threads gain over one", () => {
  const { status, stdout, stderr } = run("bench/threads.mjs", "--only", "gemm 512", "--rounds", "1", "--json");
  expect(status, stderr).toBe(0);
  const row = { section: "threads", name: "gemm 512", threads: 2, ms: positive, one: positive };
  expect(JSON.parse(stdout)).toMatchObject({ ...heading, rows: [{ ...row, gain: positive, fastest: positive }] });
});

test("rows of the table of ops are measured forward and backward", () => {
  const { status, stdout, stderr } = run("bench/bench.mjs", "--only", "op gather [", "--rounds", "1", "--json");
  expect(status, stderr).toBe(0);
  const rows = JSON.parse(stdout).rows.filter(({ section }: { section: string }) => section === "op");
  const names = ["gather [10000,64] [4096]", "gather [10000,64] [4096], gradients"];
  expect(rows).toEqual(names.map((name) => expect.objectContaining({ ...measured, name, gbps: positive })));
});

test.skipIf(process.platform !== "linux")("a Worker with its model in KV is measured up to its first answer", () => {
  const { status, stdout, stderr } = run("bench/serve-workerd.mjs", "--rounds", "1", "--json");
  expect(status, stderr).toBe(0);
  const { bytes, rows, ...rest } = JSON.parse(stdout);
  expect(rest).toMatchObject(heading);
  expect(bytes).toBeGreaterThan(20_000);
  const [cpu, ...others] = rows;
  expect(cpu).toEqual({ ...measured, name: "start to first answer, CPU of the worker's thread" });
  expect(others.filter(({ megabytes }: { megabytes?: number }) => megabytes !== undefined)).toEqual(
    ["resident memory", "resident memory at most", "a worker that does nothing: resident memory"].map((name) => ({
      name,
      megabytes: positive,
      spread: expect.any(Number),
    })),
  );
});

const LEVELS = ["16 KB (L1)", "256 KB (L2)", "8 MB (L3)", "128 MB (memory)"];
const ROOFS = ["f32x4 multiply and add", ...LEVELS.flatMap((level) => [`read ${level}`, `copy ${level}`])];

test.each([
  ["bench.mjs"],
  ["cold.mjs"],
  ["methods.mjs"],
  ["threads.mjs"],
  ["runtimes/bench.mjs", "deno"],
  ["runtimes/bench.mjs", "bun"],
  ["runtimes/bench.mjs", "workerd"],
  ["runtimes/bench.mjs", "browser"],
  ["peers/bench.mjs"],
  ["serve.mjs"],
  ["serve-workerd.mjs"],
])("%s %s refuses what it does not know, in one line, with exit code 2", (script, ...args) => {
  const others = [["--rounds", "0"], ["--rounds", "many"], ["--only"], ["--math", "fast"], ["gemm"]];
  for (const wrong of [["--fast"], ...(script === "bench.mjs" ? others : [])]) {
    const { status, stdout, stderr } = run(`bench/${script}`, ...args, ...wrong);
    expect(status).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^bench\S*: [^\n]+ \(known: --only, --rounds, --json, --save[^\n]*\)\n$/);
  }
});

test("the README's table is the one that was saved last", () => {
  const text = readme();
  expect(readFileSync("README.md", "utf8")).toBe(text);
  expect(text.match(/^\| conv 3x3, .*\|$/gm)?.length).toBe(4);
});

test("bench/runtimes/bench.mjs names the runtimes when it gets another", () => {
  const { status, stderr } = run("bench/runtimes/bench.mjs", "hermes");
  expect(status).toBe(2);
  expect(stderr).toBe("bench: expected one of deno, bun, workerd, browser, got 'hermes'\n");
});

test("every row has a name of its own and a goal that can be looked up", () => {
  const names = rows.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { goal } of rows) {
    if (goal.row === undefined) expect(goal.best).toBeGreaterThan(0);
    else expect(names).toContain(goal.row);
  }
});
