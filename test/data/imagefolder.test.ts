// Folders of images: what becomes of files and of pixels, from real JPEG and PNG files, a disk and a tar, and from bad ones.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { deflateSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { encode as png } from "fast-png";
import jpeg from "jpeg-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeImage } from "../../src/data/decode.js";
import { type ImageFolder, imageFolder, imageFromBytes } from "../../src/data/index.js";
import { FormatError, ShapeError, UnsupportedError } from "../../src/errors.js";
import { build, conv2d, dense, globalAveragePooling2d, input, resize, sequential } from "../../src/index.js";
import { type Tensor, tensor } from "../../src/tensor.js";
import { fit } from "../../src/train/index.js";
import { type Entry, tar } from "./tars.js";

/** Pixels that differ everywhere. */
const pixels = (n: number, from = 0) => Uint8Array.from({ length: n }, (_, i) => (from + 37 * i) % 256);
const rgb = (height: number, width: number, from = 0) =>
  png({ width, height, data: pixels(3 * height * width, from), channels: 3 });
/** A JPEG of one colour keeps it, nearly. */
const jpg = (height: number, width: number, colour: readonly [number, number, number]) => {
  const data = new Uint8Array(4 * height * width).map((_, i) => [...colour, 255][i % 4]);
  return new Uint8Array(jpeg.encode({ width, height, data }, 95).data);
};

const files: Entry[] = [
  { name: "train/dog/b.png", content: rgb(2, 3, 5) },
  { name: "train/cat/2.JPG", content: jpg(2, 3, [200, 100, 50]) },
  { name: "train/cat/1.png", content: rgb(2, 3, 9) },
  { name: "train/dog/a/deep.jpeg", content: jpg(2, 3, [0, 0, 255]) },
  { name: "train/dog/._b.png", content: "what macOS leaves behind" },
  { name: "train/dog/notes.txt", content: "no image" },
  { name: "train/readme.png", content: rgb(2, 3) },
];
const names = ["cat/1.png", "cat/2.JPG", "dog/a/deep.jpeg", "dog/b.png"];

const folder = mkdtempSync(join(tmpdir(), "lanewise-images-"));
beforeAll(() => {
  for (const { name, content } of files) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), content ?? "");
  }
  writeFileSync(join(folder, "all.tar.gz"), gzipSync(tar(...files.slice(0, -1))));
  symlinkSync(join(folder, "train"), join(folder, "train/dog/loop")); // a folder that is a link is not gone into
});
afterAll(() => rmSync(folder, { recursive: true }));

async function all<T>(data: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const element of data) list.push(element);
  return list;
}
const numbersOf = ({ data }: Tensor) => Array.from(data);

describe("files and classes", () => {
  const sources: [string, () => Parameters<typeof imageFolder>[0]][] = [
    ["a folder by its path", () => join(folder, "train")],
    ["a folder by its URL", () => pathToFileURL(join(folder, "train"))],
    ["a folder by its URL as a text", () => pathToFileURL(join(folder, "train")).href],
    ["a tar.gz by its path", () => join(folder, "all.tar.gz")],
    ["the bytes of a tar", () => tar(...files.slice(0, -1))],
    ["the bytes of a tar.gz", () => readFileSync(join(folder, "all.tar.gz"))],
    ["a response", () => new Response(gzipSync(tar(...files.slice(0, -1))))],
  ];

  test.each(sources)("%s", async (_, source) => {
    const data = await imageFolder(source());
    expect(data.classNames).toEqual(["cat", "dog"]);
    expect(data.fileNames).toEqual(names);
    expect(data.size).toBe(4);
    const elements = await all(data);
    expect(elements.map(({ y }) => [y.dtype, y.shape.length, y.data[0]])).toEqual(
      [0, 0, 1, 1].map((y) => ["int32", 0, y]),
    );
    expect(elements.map(({ x }) => x.shape)).toEqual(Array(4).fill([2, 3, 3]));
    expect(elements[0].x.data).toEqual(Float32Array.from(pixels(18, 9), (v) => v / 255));
    const [red, green, blue] = elements[1].x.data;
    expect(Math.abs(red - 200 / 255) + Math.abs(green - 100 / 255) + Math.abs(blue - 50 / 255)).toBeLessThan(0.03);
  });

  test("names of classes give their order, and are all of them", async () => {
    const source = join(folder, "train");
    const data = await imageFolder(source, { classNames: ["dog", "cat"] });
    expect(data.fileNames).toEqual([...names.slice(2), ...names.slice(0, 2)]);
    expect((await all(data)).map(({ y }) => y.data[0])).toEqual([0, 0, 1, 1]);
    for (const classNames of [["cat"], ["cat", "dog", "frog"], ["cat", "cat"], "cat" as never])
      await expect(imageFolder(source, { classNames })).rejects.toThrow(
        "classNames to be the folders' names, cat, dog",
      );
  });

  test("labels of one's own, or none, are for all files, those in no folder too", async () => {
    const source = join(folder, "train");
    const data = await imageFolder(source, { labels: [5, 6, 7, 8, 9] });
    expect(data.fileNames).toEqual([...names, "readme.png"]);
    expect((await all(data)).map(({ y }) => y.data[0])).toEqual([5, 6, 7, 8, 9]);
    const plain: ImageFolder<{ x: Tensor }> = await imageFolder(source, { labels: null });
    expect((await all(plain)).map((element) => Object.keys(element))).toEqual(Array(5).fill(["x"]));
    await expect(imageFolder(source, { labels: [1, 2] })).rejects.toThrow(ShapeError);
    await expect(imageFolder(source, { labels: [1, 2] })).rejects.toThrow("expected labels for 5 files, got 2");
    for (const labels of ["auto" as never, [0.5, 1, 1, 1, 1], [-1, 0, 0, 0, 0]])
      await expect(imageFolder(source, { labels })).rejects.toThrow('labels to be "inferred", whole numbers');
  });

  test("a root picks a folder of a tar; without one it is what all files share", async () => {
    const entry = (name: string) => ({ name, content: rgb(1, 1) });
    const two = tar(...["set/train/a/1.png", "set/test/b/1.png", "set/train/c/1.png"].map(entry));
    expect((await imageFolder(two)).classNames).toEqual(["test", "train"]);
    const part = await imageFolder(two, { root: "set/train/" });
    expect([part.classNames, part.fileNames]).toEqual([
      ["a", "c"],
      ["a/1.png", "c/1.png"],
    ]);
    const same = tar(...["./x/cat/1.png", "./x/cat/2.png"].map(entry));
    expect((await imageFolder(same)).classNames).toEqual(["cat"]);
    await expect(imageFolder(two, { root: "none" })).rejects.toThrow(
      "expected images by their names under none, got none",
    );
    await expect(imageFolder(folder, { root: "train" })).rejects.toThrow("a tar for options.root");
  });

  test("shuffles, splits and stacks as any dataset, and trains a model", async () => {
    const data = await imageFolder(join(folder, "train"), { cache: true });
    const [train, rest] = data.shuffle(1).split(0.75);
    expect([train.size, rest.size]).toEqual([3, 1]);
    const [batch] = await all(data.batch(4));
    expect([batch.x.shape, batch.y.shape, [...batch.y.data]]).toEqual([[4, 2, 3, 3], [4], [0, 0, 1, 1]]);
    const net = sequential(conv2d(2, 1), globalAveragePooling2d(), dense(2, { activation: "softmax" }));
    const model = await build(input([2, 3, 3]), net);
    const how = { optimizer: "sgd", loss: "sparseCategoricalCrossentropy", epochs: 2, batchSize: 2 } as const;
    expect((await fit(model, train, how)).history.loss).toHaveLength(2);
  });
});

describe("pixels", () => {
  const one = (content: Uint8Array, name = "a/1.png") => tar({ name, content });
  const read = async (...[content, options]: [Uint8Array, Parameters<typeof imageFolder>[1]?]) =>
    (await all(await imageFolder(one(content), options)))[0].x;

  test("scale, mean and std are those of imageFromBytes, to the last bit", async () => {
    const data = pixels(2 * 3 * 3, 4);
    const content = png({ width: 3, height: 2, data, channels: 3 });
    for (const options of [
      {},
      { scale: 1 },
      { mean: 0.5, std: 0.25 },
      { scale: 2, mean: [0.49, 0.48, 0.44], std: [1, 2, 3] },
    ]) {
      const expected = imageFromBytes(data, { height: 2, width: 3, ...options });
      expect((await read(content, options)).data).toEqual(expected.data);
    }
  });

  const grey = pixels(6, 11);
  const colour = pixels(18, 3);
  const alpha = pixels(24, 8);
  test.each([
    ["grey", png({ width: 3, height: 2, data: grey, channels: 1 }), [...grey].map((v) => [v, v, v, 255])],
    [
      "grey with alpha",
      png({ width: 3, height: 2, data: pixels(12, 2), channels: 2 }),
      [0, 1, 2, 3, 4, 5].map((i) => [
        pixels(12, 2)[2 * i],
        pixels(12, 2)[2 * i],
        pixels(12, 2)[2 * i],
        pixels(12, 2)[2 * i + 1],
      ]),
    ],
    [
      "RGB",
      png({ width: 3, height: 2, data: colour, channels: 3 }),
      [0, 3, 6, 9, 12, 15].map((i) => [...colour.slice(i, i + 3), 255]),
    ],
    [
      "RGBA",
      png({ width: 3, height: 2, data: alpha, channels: 4 }),
      [0, 4, 8, 12, 16, 20].map((i) => [...alpha.slice(i, i + 4)]),
    ],
    [
      "16 bits",
      png({ width: 3, height: 2, data: Uint16Array.from(colour, (v) => 256 * v + 77), channels: 3, depth: 16 }),
      [0, 3, 6, 9, 12, 15].map((i) => [...colour.slice(i, i + 3), 255]),
    ],
  ])("of %s files in every mode", async (_, content, rgba) => {
    const close = async (colorMode: "rgb" | "rgba" | "grayscale", expected: number[]) => {
      const x = await read(content, { colorMode, scale: 1 });
      expect(x.shape).toEqual([2, 3, expected.length / 6]);
      numbersOf(x).forEach((v, i) => {
        expect(v).toBeCloseTo(expected[i], 4);
      });
    };
    await close("rgba", rgba.flat());
    await close(
      "rgb",
      rgba.flatMap((p) => p.slice(0, 3)),
    );
    await close(
      "grayscale",
      rgba.map(([r, g, b]) => 0.299 * r + 0.587 * g + 0.114 * b),
    );
  });

  test("palettes, and PNG files of 1, 2 and 4 bits, row by row", async () => {
    for (const depth of [1, 2, 4]) {
      // 5 pixels take 5 * depth bits, and every row begins with a byte of its own.
      const most = 2 ** depth - 1;
      const values = [0, most, 1, 0, most, most, 0, 1, most, 0];
      const bits = (row: number[]) => row.map((v) => v.toString(2).padStart(depth, "0")).join("");
      const packed = [values.slice(0, 5), values.slice(5)].flatMap((row) =>
        (
          bits(row)
            .padEnd(8 * Math.ceil((5 * depth) / 8), "0")
            .match(/.{8}/g) ?? []
        ).map((byte) => Number.parseInt(byte, 2)),
      );
      const x = await read(small(5, 2, depth, 0, Uint8Array.from(packed)), { colorMode: "grayscale", scale: 1 });
      numbersOf(x).forEach((v, i) => {
        expect(v, `${depth} bits`).toBeCloseTo((values[i] * 255) / most, 3);
      });
      const palette = Uint8Array.from({ length: 3 * 2 ** depth }, (_, i) => 5 * i);
      const coloured = await read(small(5, 2, depth, 3, Uint8Array.from(packed), palette), { scale: 1 });
      expect(numbersOf(coloured)).toEqual(values.flatMap((v) => [15 * v, 15 * v + 5, 15 * v + 10]));
    }
  });

  test.each([["bilinear"], ["nearest"]] as const)("%s resizing has the bits of the op", async (interpolation) => {
    const content = rgb(5, 7, 1);
    const x = await read(content, { scale: 1 });
    for (const size of [
      [3, 4],
      [9, 13],
      [5, 7],
      [5, 2],
      [1, 1],
    ] as const) {
      const model = await build(input([5, 7, 3]), (v) => resize(v, size, { interpolation }));
      const expected = model.predict(tensor(x.data, [1, 5, 7, 3])) as Tensor;
      const { data, shape } = await read(content, { imageSize: size, interpolation, scale: 1 });
      expect(shape).toEqual([...size, 3]);
      expect(data).toEqual(expected.data);
    }
  });

  test("cropping keeps proportions", async () => {
    const x = await read(rgb(2, 6, 0), { scale: 1 });
    const { data } = await read(rgb(2, 6, 0), { imageSize: [2, 2], cropToAspectRatio: true, scale: 1 });
    const row = (i: number) => numbersOf(x).slice((6 * i + 2) * 3, (6 * i + 4) * 3);
    expect([...data]).toEqual([...row(0), ...row(1)]);
  });

  test("a cache decodes once and gives the same; without one every epoch decodes", async () => {
    for (const [cache, colorMode, imageSize] of [
      [true, "rgb"],
      [true, "grayscale"],
      [true, "rgb", [3, 3]],
      [false, "rgb"],
    ] as const) {
      let calls = 0;
      const decode = (bytes: Uint8Array, name: string) => {
        calls++;
        return decodeImage(bytes, name);
      };
      const data = await imageFolder(tar(...files.slice(0, 3)), { cache, decode, colorMode, imageSize });
      const epochs = [await all(data.elements(0)), await all(data.elements(1))];
      expect(epochs[1]).toEqual(epochs[0]);
      expect(calls).toBe(cache ? 3 : 6);
      // What was handed out is the caller's: it may write into it.
      epochs[1][0].x.data.fill(9);
      expect((await all(data))[0]).toEqual(epochs[0][0]);
    }
  });
});

describe("bad files", () => {
  const bad = async (content: Uint8Array | string, options = {}) => {
    const data = await imageFolder(tar({ name: "a/bad.png", content }), options);
    return all(data);
  };
  const huge = rgb(1, 1).slice();
  new DataView(huge.buffer).setUint32(16, 100_000); // a width that the file only claims
  new DataView(huge.buffer).setUint32(20, 100_000);
  const wide = jpg(8, 8, [1, 2, 3]).slice();
  const frame = wide.findIndex((byte, i) => byte === 0xff && wide[i + 1] === 0xc0);
  wide.set([0xff, 0xff, 0xff, 0xff], frame + 5);

  test.each([
    ["text", new TextEncoder().encode("hello, world"), 'image "a/bad.png": expected a JPEG or PNG file with its size'],
    ["nothing", new Uint8Array(0), "expected a JPEG or PNG file with its size, got other bytes, or too few"],
    ["a PNG of ten billion pixels", huge, "expected an image of 1 to 67108864 pixels, got 100000 x 100000"],
    ["a JPEG of four billion pixels", wide, "expected an image of 1 to 67108864 pixels, got 65535 x 65535"],
    ["half a PNG", rgb(9, 9).slice(0, 60), "expected a sound PNG file, got"],
    ["a JPEG's header alone", jpg(8, 8, [1, 2, 3]).slice(0, frame + 12), "expected a sound JPEG file, got"],
  ])("%s", async (_, content, told) => {
    await expect(bad(content)).rejects.toThrow(FormatError);
    await expect(bad(content)).rejects.toThrow(told);
  });

  test("what one's own decoder gives is checked, and what it throws names the file", async () => {
    const of = (image: unknown) => bad("", { decode: () => image });
    for (const image of [
      null,
      { data: new Uint8Array(5), width: 2, height: 1 },
      { data: new Uint8Array(6), width: 2, height: 1, channels: 4 },
      { data: new Float32Array(6), width: 2, height: 1 },
      { data: new Uint8Array(0), width: 0, height: 0 },
      { data: new Uint8Array(10), width: 2, height: 1 },
    ])
      await expect(of(image)).rejects.toThrow(
        'image "a/bad.png": expected a decoder that gives { data, width, height }',
      );
    const cause = new Error("no such codec");
    const failing = bad("", { decode: () => Promise.reject(cause) });
    await expect(failing).rejects.toThrow(
      'image "a/bad.png": expected an image that can be decoded, got no such codec',
    );
    await expect(failing).rejects.toMatchObject({ cause });
  });

  test("arbitrary and damaged images never crash or hang", async () => {
    const sound = [rgb(9, 7), jpg(16, 17, [10, 200, 30])];
    const holds = async (bytes: Uint8Array) => {
      const image = await decodeImage(bytes, "x").catch((error) => error);
      if (image instanceof Error) expect(image).toBeInstanceOf(FormatError);
      else expect(image.width * image.height).toBeLessThanOrEqual(2 ** 26);
    };
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), holds));
    const start = fc.constantFrom([0xff, 0xd8], [137, 80, 78, 71, 13, 10, 26, 10]);
    await fc.assert(
      fc.asyncProperty(start, fc.uint8Array({ maxLength: 300 }), (head, rest) =>
        holds(Uint8Array.of(...head, ...rest)),
      ),
    );
    const changes = fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...sound), changes, fc.nat(700), async (file, list, end) => {
        // Sizes stay small: a sound claim of millions of pixels takes its time.
        const frame = file.findIndex((byte, i) => byte === 0xff && file[i + 1] === 0xc0);
        const fixed = (at: number) => (frame < 0 ? at < 24 : at >= frame && at < frame + 9);
        const damaged = file.map((byte, i) => list.find(([at]) => at === i && !fixed(at))?.[1] ?? byte);
        await holds(damaged.slice(0, Math.max(end, 40)));
      }),
    );
  });

  test("a gzip that promises less than it holds, or is damaged", async () => {
    const file = gzipSync(tar(...files));
    const short = Uint8Array.from(file);
    new DataView(short.buffer).setUint32(short.length - 4, 100, true);
    await expect(imageFolder(short)).rejects.toThrow(FormatError);
    await expect(imageFolder(file.subarray(0, file.length - 30))).rejects.toThrow(FormatError);
    await expect(imageFolder(Uint8Array.of(0x1f, 0x8b, 8))).rejects.toThrow(FormatError);
  });
});

test("a decoder that is not installed is named by the error", () => {
  // In a process of its own, where the packages are not found.
  const code = `
    import { imageFolder } from ${JSON.stringify(pathToFileURL(join(process.cwd(), "dist/data.js")).href)};
    for await (const _ of await imageFolder(${JSON.stringify(join(folder, "all.tar.gz"))}, { classNames: ["cat", "dog"] })) break;`;
  const hook = `
    export const resolve = (name, context, next) => {
      if (/^(jpeg-js|fast-png)$/.test(name)) throw Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
      return next(name, context);
    };`;
  const url = (text: string) => `data:text/javascript,${encodeURIComponent(text)}`;
  const register = url(`import { register } from "node:module"; register(${JSON.stringify(url(hook))});`);
  const { stderr, status } = spawnSync(process.execPath, ["--import", register, "--input-type=module", "-e", code], {
    encoding: "utf8",
  });
  expect(stderr).toContain(
    "UnsupportedError: image: PNG files need a decoder: npm install fast-png, or give one as options.decode",
  );
  expect(status).toBe(1);
  expect(new UnsupportedError("x", ["fast-png"]).operators).toEqual(["fast-png"]);
});

test.each([
  [
    "a path where nothing is",
    () => imageFolder(join(folder, "none")),
    /expected a folder or a tar, got nothing at .*none/,
  ],
  ["a folder without images", () => imageFolder(tar({ name: "a/b.txt" })), "expected images by their names, got none"],
  ["images in no folder", () => imageFolder(tar({ name: "b.png" })), "expected images by their names, got none"],
  ["no source", () => imageFolder(undefined as never), "load: expected bytes, a Response or a URL, got undefined"],
  ["a colour mode", () => imageFolder(tar(...files), { colorMode: "grey" as never }), 'or "rgba", got "grey"'],
  [
    "an image size",
    () => imageFolder(tar(...files), { imageSize: [3, 0] }),
    "imageSize to be two whole numbers of 1 to 16384",
  ],
  [
    "a crop without a size",
    () => imageFolder(tar(...files), { cropToAspectRatio: true }),
    "imageSize to crop to, got none",
  ],
  ["an interpolation", () => imageFolder(tar(...files), { interpolation: "cubic" as never }), 'got "cubic"'],
  ["a decoder that is none", () => imageFolder(tar(...files), { decode: "jpeg" as never }), "decode to be a function"],
  ["a std of 0", () => imageFolder(tar(...files), { std: 0 }), "imageFolder: expected a finite scale and no std of 0"],
  [
    "a mean of two",
    () => imageFolder(tar(...files), { mean: [1, 2] }),
    "imageFolder: expected mean of 1 or 3 finite numbers",
  ],
  ["an option that there is not", () => imageFolder(tar(...files), { batchSize: 3 } as never), 'got "batchSize"'],
] as const)("%s is refused", async (_, call, told) => {
  await expect(call()).rejects.toThrow(told);
});

const cifar = new URL("../../../shared/data/cifar10/test-a.tar.gz", import.meta.url);
test.skipIf(!existsSync(cifar))("CIFAR-10's test images have the mean and deviation they should", async () => {
  const data = await imageFolder(cifar);
  expect([data.size, data.classNames.length]).toEqual([5000, 10]);
  const counts = new Array(10).fill(0);
  const sums = [0, 0, 0, 0, 0, 0];
  for await (const { x, y } of data.shuffle(1).take(500)) {
    counts[y.data[0]]++;
    x.data.forEach((v, i) => {
      sums[i % 3] += v / (500 * 1024);
      sums[3 + (i % 3)] += (v * v) / (500 * 1024);
    });
  }
  [0.49, 0.481, 0.445].forEach((mean, c) => {
    expect(Math.abs(sums[c] - mean)).toBeLessThan(0.03);
  });
  [0.245, 0.242, 0.26].forEach((deviation, c) => {
    expect(Math.abs(Math.sqrt(sums[3 + c] - sums[c] ** 2) - deviation)).toBeLessThan(0.02);
  });
  expect(Math.min(...counts)).toBeGreaterThan(20);
});

/** A PNG of 1 to 8 bits a pixel, which the encoder does not write: chunks as the specification has them. */
function small(
  width: number,
  height: number,
  depth: number,
  type: 0 | 3,
  packed: Uint8Array,
  palette?: Uint8Array,
): Uint8Array {
  const chunk = (name: string, data: Uint8Array) => {
    const body = Buffer.concat([Buffer.from(name), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width);
  head.writeUInt32BE(height, 4);
  head.set([depth, type, 0, 0, 0], 8);
  const stride = packed.length / height;
  const rows = Array.from({ length: height }, (_, i) =>
    Buffer.from([0, ...packed.slice(i * stride, (i + 1) * stride)]),
  );
  return new Uint8Array(
    Buffer.concat([
      Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
      chunk("IHDR", head),
      ...(palette ? [chunk("PLTE", palette)] : []),
      chunk("IDAT", deflateSync(Buffer.concat(rows))),
      chunk("IEND", new Uint8Array(0)),
    ]),
  );
}

/** CRC-32 of ISO 3309, bit by bit. */
function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}
