// One image file as a model's input: as a folder of images gives it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { encode as png } from "fast-png";
import { afterAll, expect, test } from "vitest";
import { type ImageFileOptions, imageFolder, loadImage } from "../../src/data/index.js";
import type { Tensor } from "../../src/index.js";

const home = mkdtempSync(join(tmpdir(), "lanewise-image-"));
afterAll(() => rmSync(home, { recursive: true }));
mkdirSync(join(home, "a"));
const data = Uint8Array.from({ length: 5 * 4 * 3 }, (_, i) => (i * 41) % 256);
const bytes = png({ width: 5, height: 4, channels: 3, depth: 8, data });
const path = join(home, "a", "1.png");
writeFileSync(path, bytes);

test.each<[string, ImageFileOptions]>([
  ["as it is", {}],
  ["grey, of another size", { colorMode: "grayscale", imageSize: [3, 7] }],
  ["cut, scaled and shifted", { imageSize: [2, 2], cropToAspectRatio: true, scale: 1 / 127.5, mean: 1 }],
])("loadImage gives what imageFolder does: %s", async (_, options) => {
  const folder = await imageFolder(home, { ...options, labels: null });
  const { value } = await folder[Symbol.asyncIterator]().next();
  const { x } = value as { x: Tensor };
  for (const source of [path, pathToFileURL(path), bytes, new Response(bytes as BodyInit)]) {
    const image = await loadImage(source, options);
    expect(image).toEqual({ ...x, shape: [1, ...x.shape] });
  }
});

test("loadImage says what is wrong", async () => {
  await expect(loadImage(join(home, "none.png"))).rejects.toThrow(
    /loadImage: expected an image file, got nothing at .*none/,
  );
  await expect(loadImage(home)).rejects.toThrow("loadImage: expected an image file, got folder at");
  await expect(loadImage(new Uint8Array(9))).rejects.toThrow(
    'image "the image": expected a JPEG or PNG file with its size, got other bytes, or too few',
  );
  await expect(loadImage(bytes, { imageSize: [0, 2] })).rejects.toThrow(
    "loadImage: expected imageSize to be two whole",
  );
  await expect(loadImage(bytes, { labels: null } as never)).rejects.toThrow('"labels"');
});
