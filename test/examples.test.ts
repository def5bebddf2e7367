// Every example as its users run it, on the built package and data of its own: `--quick --json` gives what its README promises.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "lanewise-examples-"));

interface Promised {
  /** Keys of the JSON with the range in which a quick run's number must lie: what is worse than chance is a failure. */
  readonly keys: Record<string, readonly [least: number, most: number]>;
  /** More arguments for the run. */
  readonly args?: readonly string[];
  /** The folder of ../shared/data that `--data` takes. */
  readonly data?: string;
}

/** An entry for each example; the test fails for a folder without one. */
const examples: Record<string, Promised> = {
  anomaly: { keys: { auc: [0.7, 1] }, data: "timeseries" },
  tabular: { keys: { rmse: [0, 4], r2: [0.4, 1], accuracy: [0.7, 1] }, data: "tabular" },
  demo: { keys: { testAccuracy: [0.4, 1] }, args: ["--out", join(scratch, "demo")] },
  gpt: { keys: { validationLoss: [0.3, 3], trainLoss: [0.3, 3.2] }, data: "tinyshakespeare" },
  motions: { keys: { testAccuracy: [0.5, 1], testLoss: [0, 1.4] }, data: "timeseries" },
  resnet8: { keys: { testAccuracy: [0.15, 1] }, data: "cifar10" },
};

/** What examples share, and servers, which run until they are stopped: tests of their own are in test/serve/. */
const OTHERS = ["common", "kserve", "worker"];

type Json = Record<string, unknown>;

const read = (path: string) => readFileSync(join(root, path), "utf8");
const scripts = JSON.parse(read("package.json")).scripts as Record<string, string>;
const scriptOf = (name: string) => (name === "demo" ? "demo" : `example:${name}`);
const fileOf = (name: string) => `examples/${name}/${name}.mjs`;

function run(name: string, ...args: string[]) {
  const given = [fileOf(name), ...args, ...(examples[name].args ?? [])];
  const { status, stdout, stderr } = spawnSync(process.execPath, given, { cwd: root, encoding: "utf8" });
  return { code: status, out: stdout, err: stderr };
}

/** Numbers, texts and so on under their paths, to compare what two results have, not what they are. */
function outline(value: unknown, path = ""): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([key, part]) => outline(part, `${path}.${key}`));
}

const numbers = (value: unknown): number[] =>
  typeof value === "object" && value !== null
    ? Object.values(value).flatMap(numbers)
    : typeof value === "number"
      ? [value]
      : [];

function check(name: string, json: string): Json {
  expect(json.trimEnd()).not.toContain("\n");
  const results = JSON.parse(json) as Json; // NaN and Infinity are null in JSON
  for (const [key, [least, most]] of Object.entries(examples[name].keys)) {
    expect(results[key], key).toBeGreaterThanOrEqual(least);
    expect(results[key], key).toBeLessThanOrEqual(most);
  }
  expect(numbers(results).every(Number.isFinite)).toBe(true);
  expect(numbers(results.times).length).toBeGreaterThan(0);
  expect(numbers(results.times).every((time) => time > 0)).toBe(true);
  return results;
}

beforeAll(() => {
  execFileSync(process.execPath, ["scripts/build.mjs", "--quick"], { cwd: root, stdio: "inherit" });
});
afterAll(() => rmSync(scratch, { recursive: true }));

test("every folder of examples/ is an example that is tested here", () => {
  const entries = readdirSync(join(root, "examples"), { withFileTypes: true });
  const folders = entries
    .filter((entry) => entry.isDirectory() && !OTHERS.includes(entry.name))
    .map(({ name }) => name);
  expect(folders.sort()).toEqual(Object.keys(examples).sort());
});

test("the list of examples names every one", () => {
  const text = read("examples/README.md");
  for (const name of Object.keys(examples)) expect(text).toContain(`npm run ${scriptOf(name)}`);
});

describe.each(Object.keys(examples))("%s", (name) => {
  const readme = existsSync(join(root, `examples/${name}/README.md`)) ? read(`examples/${name}/README.md`) : "";

  test("has an npm script that builds the package and runs it", () => {
    expect(scripts[scriptOf(name)]).toBe(`node scripts/build.mjs --quick && node ${fileOf(name)}`);
  });

  test("has a README with the command and the JSON of a whole run, which a quick one has the keys of", () => {
    expect(readme).toContain(`npm run ${scriptOf(name)}`);
    const blocks = [...readme.matchAll(/```json\n([\s\S]*?)```/g)].map(([, block]) => JSON.parse(block) as Json);
    expect(blocks.length).toBeGreaterThan(0);
    const results = check(name, run(name, "--quick", "--json").out);
    for (const block of blocks) expect(outline(block).sort()).toEqual(outline(results).sort());
    for (const block of blocks) for (const key of Object.keys(examples[name].keys)) expect(block).toHaveProperty(key);
  });

  test("tells what it can do, and bad usage in one line with exit code 2", () => {
    expect(run(name, "--help")).toEqual({
      code: 0,
      out: expect.stringContaining(`npm run ${scriptOf(name)}`),
      err: "",
    });
    const line = expect.stringMatching(new RegExp(`^${name}: .*\n$`));
    expect(run(name, "--speed")).toEqual({ code: 2, out: "", err: line });
    expect(run(name, "--seed", "x")).toEqual({ code: 2, out: "", err: line });
    expect(run(name, "--data", join(scratch, "none"))).toEqual({ code: 2, out: "", err: line });
  });

  const folder = join(root, "../shared/data", examples[name].data ?? "none");
  test.skipIf(!existsSync(folder))("reads real data, and gives the same twice but for times", () => {
    const [first, again] = [1, 2].map(() => check(name, run(name, "--quick", "--json", "--data", folder).out));
    expect({ ...first, times: 0 }).toEqual({ ...again, times: 0 });
    expect(first.data).toBe(folder);
  });
});
