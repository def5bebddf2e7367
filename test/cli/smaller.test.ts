// lanewise quantize and prune, and images as samples: what they write is what the library gives.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encode as png } from "fast-png";
import { expect, test } from "vitest";
import { prune, quantize, report } from "../../src/compress/index.js";
import { loadImage } from "../../src/data/index.js";
import { build, conv2d, dense, flatten, input, load, save, sequential, type Tensor, tensor } from "../../src/index.js";
import { int8Ops } from "../../src/ops/quantized/index.js";
import { folder, json, lanewise } from "./command.js";

const home = folder();
const path = (name: string) => join(home, name);
const rows = Array.from({ length: 20 }, (_, i) => Array.from({ length: 4 }, (_, j) => Math.sin(5 * i + j)));

const numbers = () => build(input([4]), sequential(dense(8, { activation: "relu" }), dense(3)), { seed: 1, name: "m" });
const images = (channels: number) =>
  build(input([6, 8, channels]), sequential(conv2d(4, 3, { activation: "relu" }), flatten(), dense(2)), { seed: 2 });

/** A PNG whose pixels are a pattern. */
function picture(name: string, width: number, height: number, channels: 1 | 3): string {
  const data = Uint8Array.from({ length: width * height * channels }, (_, i) => (i * 37 + name.length * 11) % 256);
  writeFileSync(path(name), png({ width, height, channels, depth: 8, data }));
  return path(name);
}

test("quantize writes the int8 model of the same calibration, and tells how it compares", async () => {
  const model = await numbers();
  writeFileSync(path("m.safetensors"), save(model));
  writeFileSync(path("x.json"), JSON.stringify(rows));
  const [from, to] = [path("m.safetensors"), path("m8.safetensors")];
  const calibrated = ["--calibration", path("x.json")];
  const { written, models } = json(["quantize", from, to, ...calibrated, "--inputs", "int8", "--json"]);
  const x = tensor(rows);
  const expected = await quantize(model, { calibration: x, inputs: "int8" });
  expect(readFileSync(to)).toEqual(Buffer.from(save(expected)));
  expect(written).toBe(readFileSync(to).length);
  const { rows: compared } = await report({ [from]: model, [to]: expected }, { x }, { runs: 0 });
  expect(models.map(({ milliseconds, ...row }: { milliseconds: number }) => ({ ...row, milliseconds: null }))).toEqual(
    JSON.parse(JSON.stringify(compared)),
  );

  const { stdout, stderr } = lanewise(["quantize", from, to, ...calibrated, "--skip", "dense_1"]);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/m8\.safetensors: \d+ bytes\nmodel +parameters +non-zero/);
  const kept = await load(readFileSync(to), { layers: int8Ops });
  expect(kept.weights()["dense_1/kernel"].dtype).toBe("float32");
});

test("prune writes the model without its smallest weights", async () => {
  const model = await numbers();
  writeFileSync(path("m.safetensors"), save(model));
  writeFileSync(path("x.json"), JSON.stringify(rows));
  const [from, to] = [path("m.safetensors"), path("pruned.safetensors")];
  const shares = ["--sparsity", "dense=0.75,dense_1=0.5", "--structure", "unstructured"];
  const { written, models } = json(["prune", from, to, ...shares, "--input", path("x.json"), "--json"]);
  const expected = await prune(model, { sparsity: { dense: 0.75, dense_1: 0.5 }, structure: "unstructured" });
  expect(readFileSync(to)).toEqual(Buffer.from(save(expected)));
  expect(written).toBe(readFileSync(to).length);
  expect(models[1].nonZero).toBe(8 + 12);
  lanewise(["prune", from, to, "--sparsity", "0.5"]);
  expect(readFileSync(to)).toEqual(Buffer.from(save(await prune(model, { sparsity: 0.5 }))));
});

test("predict takes images in any size and colours, alone, several at once and in folders", async () => {
  for (const channels of [1, 3] as const) {
    const model = await images(channels);
    writeFileSync(path("images.safetensors"), save(model));
    const files = [picture("one.png", 16, 12, 3), picture("second.png", 8, 6, 1)];
    const colorMode = channels === 1 ? "grayscale" : "rgb";
    const expected = await Promise.all(
      files.map(async (file) => {
        const x = await loadImage(file, { imageSize: [6, 8], colorMode, scale: 2 / 255, mean: 1 });
        return [...(model.predict(x) as Tensor).data];
      }),
    );
    const ask = (...given: string[]) =>
      json(["predict", path("images.safetensors"), "--range", "-1,1", ...given.flatMap((file) => ["--input", file])])
        .outputs[0].data;
    expect(ask(files[0])).toEqual([expected[0]]);
    expect(ask(...files)).toEqual(expected);
    mkdirSync(path("folder"), { recursive: true });
    for (const file of files) writeFileSync(file.replace(home, path("folder")), readFileSync(file));
    expect(ask(path("folder"))).toEqual(expected);
  }
});

test("quantize is calibrated by images, and the int8 model is given images as integers", async () => {
  const model = await images(3);
  writeFileSync(path("images.safetensors"), save(model));
  const file = picture("one.png", 16, 12, 3);
  const to = path("images8.safetensors");
  json(["quantize", path("images.safetensors"), to, "--calibration", file, "--inputs", "int8", "--json"]);
  const x = await loadImage(file, { imageSize: [6, 8] });
  const expected = (model.predict(x) as Tensor).data;
  const [actual] = json(["predict", to, "--input", file]).outputs[0].data;
  actual.forEach((y: number, i: number) => {
    expect(y).toBeCloseTo(expected[i], 1);
  });
});

test("bad usage is one line and exit code 2; files that cannot be are told as one line, too", async () => {
  writeFileSync(path("m.safetensors"), save(await numbers()));
  writeFileSync(path("x.json"), JSON.stringify(rows));
  const file = picture("one.png", 16, 12, 3);
  const model = path("m.safetensors");
  const out = path("out.safetensors");
  const said = (code: number, ...args: string[]) => {
    const { code: actual, stdout, stderr } = lanewise(args);
    expect([actual, stdout]).toEqual([code, ""]);
    expect(existsSync(out)).toBe(false);
    return stderr;
  };
  expect(said(1, "quantize", model, out)).toMatch(/^lanewise: quantize: expected .*calibration.*\n$/);
  expect(said(2, "quantize", model, "out.onnx", "--calibration", path("x.json"))).toContain("ends in .safetensors");
  expect(said(2, "quantize", model, out, "--calibration", path("none.npy"))).toBe(
    `lanewise: ${path("none.npy")}: there is no such file or folder\n`,
  );
  expect(said(2, "quantize", model, out, "--calibration", path("x.json"), "--calibration", path("x.json"))).toBe(
    "lanewise: expected one file of numbers, got 2\n",
  );
  expect(said(2, "quantize", model, out, "--calibration", file)).toBe(
    'lanewise: images are for models of one input [height, width, 1, 3 or 4], this one has "input" [4]\n',
  );
  expect(said(2, "quantize", model, out, "--calibration", file, "--calibration", path("x.json"))).toBe(
    `lanewise: ${path("x.json")}: expected an image, as the others are\n`,
  );
  expect(said(1, "quantize", model, out, "--calibration", path("x.json"), "--method", "best")).toMatch(
    /^lanewise: quantize: expected method to be .*, got "best"\n$/,
  );
  expect(said(2, "prune", model, out, "--sparsity", "1.5")).toBe(
    'lanewise: --sparsity: expected a share from 0 to 1, or layer=share joined by commas, got "1.5"\n',
  );
  expect(said(2, "prune", model, out, "--sparsity", "dense=half")).toContain('got "dense=half"');
  expect(said(1, "prune", model, out, "--sparsity", "conv=0.5")).toMatch(/^lanewise: prune: .*"?conv"?.*\n$/);
  expect(said(2, "predict", model, "--input", path("x.json"), "--range", "1")).toBe(
    'lanewise: --range: expected two numbers such as 0,1 or -1,1, got "1"\n',
  );
  writeFileSync(path("bad.png"), readFileSync(file).subarray(0, 60));
  writeFileSync(path("images.safetensors"), save(await images(3)));
  expect(said(1, "predict", path("images.safetensors"), "--input", path("bad.png"))).toMatch(
    /^lanewise: image ".*bad\.png": expected a sound PNG file, got .*\n$/,
  );
});
