// The demo as its users run it, on a small data set in MNIST's format.
import { type ExecFileSyncOptions, execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { digits, toIdx } from "../../src/data/index.js";
import { type Tensor, tensor } from "../../src/tensor.js";

const folder = mkdtempSync(join(tmpdir(), "lanewise-demo-"));
const root = new URL("../..", import.meta.url);

beforeAll(() => {
  const options: ExecFileSyncOptions = { cwd: root, stdio: "inherit" };
  execFileSync(process.execPath, ["scripts/build.mjs", "--quick"], options);
  write("train", digits({ count: 300, seed: 1 }), (bytes) => gzipSync(bytes), ".gz");
  write("t10k", digits({ count: 60, seed: 2 }), (bytes) => bytes, "");
});

afterAll(() => rmSync(folder, { recursive: true }));

function write(set: string, { x, y }: { x: Tensor; y: Tensor }, pack: (bytes: Uint8Array) => Uint8Array, end: string) {
  const pixels = Uint8Array.from(x.data, (v) => Math.round(v * 255));
  const images = toIdx(tensor(pixels, x.shape.slice(0, 3)));
  const labels = toIdx(tensor(Uint8Array.from(y.data), y.shape));
  writeFileSync(join(folder, `${set}-images-idx3-ubyte${end}`), pack(images));
  writeFileSync(join(folder, `${set}-labels-idx1-ubyte${end}`), pack(labels));
}

function demo(...args: string[]) {
  const run = spawnSync(process.execPath, ["examples/demo/demo.mjs", ...args], { cwd: root, encoding: "utf8" });
  return { code: run.status, out: run.stdout, err: run.stderr };
}

const names = ["trained", "pruned", "int8", "pruned int8", "small", "small int8"];

test("the demo goes the whole way on IDX files, prints JSON and writes models and report, the same twice but for times", () => {
  const results = ["a", "b"].map((name) => {
    const out = join(folder, name);
    const { code, out: json, err } = demo("--data", folder, "--epochs", "2", "--seed", "3", "--json", "--out", out);
    expect(err).toContain("epoch 2/2");
    expect(code).toBe(0);
    const { times, files, ...rest } = JSON.parse(json);
    const { predictMilliseconds, gzipBytes, ...others } = times;
    for (const all of [predictMilliseconds, gzipBytes]) expect(Object.keys(all)).toEqual(names);
    for (const each of [predictMilliseconds, gzipBytes, others])
      expect(Object.values(each).every((number) => (number as number) > 0)).toBe(true);
    for (const { name, fileSha256, fileBytes } of rest.models) {
      const model = readFileSync(files[name]);
      expect(createHash("sha256").update(model).digest("hex")).toBe(fileSha256);
      expect(model.length).toBe(fileBytes);
    }
    const page = readFileSync(files.report, "utf8");
    expect(page).toMatch(/^<!doctype html>/);
    for (const name of names) expect(page).toContain(`<b>${name}</b>`);
    return rest;
  });
  expect(results[0]).toEqual(results[1]);
  const { history, models, testAccuracy, testLoss, ...rest } = results[0];
  expect(rest).toEqual({
    epochs: 2,
    seed: 3,
    batchSize: 32,
    data: folder,
    trainSamples: 285,
    validationSamples: 15,
    testSamples: 60,
    classes: 10,
  });
  expect(Object.keys(history).sort()).toEqual(["accuracy", "loss", "val_accuracy", "val_loss"]);
  expect(history.loss[1]).toBeLessThan(history.loss[0]);
  expect(testAccuracy).toBeGreaterThan(0.2);
  type Made = Record<string, number>;
  const [trained, pruned, int8, prunedInt8, small, smallInt8]: Made[] = models;
  expect(models.map(({ name }: { name: string }) => name)).toEqual(names);
  expect(models.every(({ identicalAfterReload }: { identicalAfterReload: boolean }) => identicalAfterReload)).toBe(
    true,
  );
  expect([trained, pruned, small].map(({ parameters }) => parameters)).toEqual([121930, 121930, 7018]);
  expect(trained.accuracy).toBeCloseTo(testAccuracy, 6);
  expect(trained.agreement).toBe(1);
  expect(trained.memoryBytes).toBeGreaterThan(4 * 121930);
  expect(pruned.nonZero / trained.parameters).toBeLessThan(0.21);
  expect(pruned.fileBytes).toBeLessThan(0.35 * trained.fileBytes);
  expect(int8.fileBytes).toBeLessThan(0.27 * trained.fileBytes);
  expect(prunedInt8.fileBytes).toBeLessThan(0.1 * trained.fileBytes);
  expect(int8.agreement).toBeGreaterThan(0.9);
  expect(smallInt8.fileBytes).toBeLessThan(0.5 * small.fileBytes);
});

test("without --json the demo prints a table", () => {
  const { code, out } = demo("--data", folder, "--epochs", "1", "--out", join(folder, "table"));
  expect(code).toBe(0);
  for (const name of ["Test accuracy", "Parameters", "File", "Training", "One prediction", "Memory"]) {
    expect(out).toContain(name);
  }
  expect(out).toMatch(/Saved and loaded +identical {2}bit for bit/);
  expect(out).toMatch(/\nmodel +parameters +non-zero +MACs/);
  for (const name of names) expect(out).toMatch(new RegExp(`\n${name} +\\d`));
});

test.each<[string, string[], RegExp]>([
  ["an unknown option", ["--speed", "9"], /^demo: Unknown option '--speed'\n$/],
  ["a folder without the files", ["--data", tmpdir()], /^demo: no file train-images-idx3-ubyte or .*\.gz in .*\n$/],
  ["a folder that is none", ["--data", join(folder, "none")], /^demo: no file train-images-idx3-ubyte or .*\n$/],
])("%s ends the demo with one line on standard error and exit code 2", (_, args, line) => {
  expect(demo(...args)).toEqual({ code: 2, out: "", err: expect.stringMatching(line) });
});

test("a damaged file ends the demo with one line that names it", () => {
  const path = join(folder, "t10k-labels-idx1-ubyte");
  const sound = readFileSync(path);
  try {
    writeFileSync(path, sound.subarray(0, 30));
    const line = /^demo: .*t10k-labels-idx1-ubyte: idx: expected 68 bytes for ubyte \[60\], got 30 bytes\n$/;
    expect(demo("--data", folder)).toEqual({ code: 2, out: "", err: expect.stringMatching(line) });
  } finally {
    writeFileSync(path, sound);
  }
});
