// The lives of workers: they start with the first model that asks for threads, serve all models, end when models are dropped, and keep no
// process alive. Each test is a script in a Node of its own, on the built package.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build as bundle } from "esbuild";
import { beforeAll, describe, expect, test } from "vitest";
import { nodes } from "../scripts/nodes.mjs";

beforeAll(() => {
  execFileSync(process.execPath, ["scripts/build.mjs", "--quick"], { stdio: "inherit" });
});

/** Counts the workers that start and end, and says what a model of 2 threads is. */
const PRELUDE = `
const threads = process.getBuiltinModule("node:worker_threads");
const count = { started: 0, ended: 0 };
threads.Worker = class extends threads.Worker {
  constructor(...args) {
    super(...args);
    count.started++;
    this.on("exit", () => count.ended++);
  }
};
const { build, dense, input } = await import(${JSON.stringify(pathToFileURL("dist/index.js").href)});
const make = (seed, options) => build(input([256]), dense(256), { seed, threads: 2, ...options });
const x = Float32Array.from({ length: 64 * 256 }, (_, i) => Math.fround(1 / (i + 1)));
const sum = (model) => model.predict(x).data.reduce((a, b) => a + b);
/** Waits until so many workers are left: collecting garbage and ending workers take their time. */
const left = async (wanted) => {
  while (count.started - count.ended !== wanted) {
    globalThis.gc?.();
    await new Promise((done) => setTimeout(done, 10));
  }
};
`;

/** What a script prints, as JSON; that it ends at all is its own doing. */
function run(node: string, script: string, ...flags: string[]): unknown {
  const args = [...flags, "--input-type=module", "--eval", PRELUDE + script];
  return JSON.parse(execFileSync(node, args, { encoding: "utf8" }));
}

const found = Object.entries(nodes()).filter((entry): entry is [string, string] => entry[1] !== undefined);

describe.each(found)("Node %s", (_, node) => {
  test("a script that forgets its threads ends", () => {
    const script = `
      const model = await make(1);
      console.log(JSON.stringify([model.threads, sum(model) === sum(await make(1, { threads: 1 }))]));`;
    expect(run(node, script)).toEqual([2, true]);
  });

  test("a script that ends at once, threads still starting, ends", () => {
    expect(run(node, `make(1); make(2).then((model) => model.clone()); console.log(1)`)).toBe(1);
  });

  test("models share one set of workers, also clones and models with more threads", () => {
    const script = `
      const models = [await make(1), await make(2), await make(3, { threads: 4 })];
      const copy = models[0].clone();
      await left(3);
      console.log(JSON.stringify([models.map(({ threads }) => threads), sum(copy) === sum(models[0]), copy.threads]));`;
    expect(run(node, script)).toEqual([[2, 2, 4], true, 2]);
  });

  test("workers end with the last model", () => {
    const script = `
      await (async () => { sum(await make(1)); })();
      await left(0);
      console.log(JSON.stringify(count.started));`;
    expect(run(node, script, "--expose-gc")).toBe(1);
  });

  test("200 models, built and dropped, leave no workers; one that is kept goes on with the same bits", () => {
    const script = `
      const kept = await make(0);
      const before = sum(kept);
      let most = 0;
      await (async () => {
        for (let seed = 1; seed <= 200; seed++) {
          const model = await make(seed);
          if (model.threads !== 2) throw new Error(\`model \${seed} runs on \${model.threads}\`);
          sum(model);
          most = Math.max(most, count.started - count.ended);
        }
      })();
      await left(1);
      console.log(JSON.stringify([most < 10, sum(kept) === before]));`;
    expect(run(node, script, "--expose-gc")).toEqual([true, true]);
  });

  test("without workers, or without shared memory, a model runs on one thread", () => {
    const refused = `
      threads.Worker = class { constructor() { throw new Error("no workers here"); } };
      console.log(JSON.stringify((await make(1)).threads));`;
    expect(run(node, refused)).toBe(1);
    const failing = `
      const { Worker } = threads;
      threads.Worker = class extends Worker { constructor(source, options) { super("throw new Error()", options); } };
      const model = await make(1);
      console.log(JSON.stringify([model.threads, Number.isFinite(sum(model))]));`;
    expect(run(node, failing)).toEqual([1, true]);
    const unshared = `
      delete globalThis.SharedArrayBuffer;
      console.log(JSON.stringify((await make(1)).threads));`;
    expect(run(node, unshared)).toBe(1);
  });

  test("auto is a number of threads that the machine has", () => {
    const script = `
      const model = await make(1, { threads: "auto" });
      const most = process.getBuiltinModule("node:os").availableParallelism();
      console.log(JSON.stringify(model.threads === Math.min(8, most)));`;
    expect(run(node, script)).toBe(true);
  });
});

test("a bundle holds neither threads nor relaxed kernels, and does without them", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lanewise-bundle-"));
  try {
    const contents = `
      import { build, dense, input } from "lanewise";
      const model = await build(input([3]), dense(2), { threads: 2, math: "relaxed" });
      console.log(JSON.stringify([model.threads, model.math, model.predict(new Float32Array(3)).shape]));`;
    const { outputFiles } = await bundle({
      stdin: { contents, resolveDir: process.cwd() },
      bundle: true,
      format: "esm",
      platform: "browser",
      target: "es2022",
      write: false,
    });
    expect(outputFiles).toHaveLength(1);
    expect(outputFiles[0].text).not.toContain("SharedArrayBuffer");
    const script = join(folder, "bundle.mjs");
    writeFileSync(script, outputFiles[0].text);
    expect(JSON.parse(execFileSync(process.execPath, [script], { encoding: "utf8" }))).toEqual([1, "exact", [1, 2]]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
