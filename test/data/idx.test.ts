import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { idx, toIdx } from "../../src/data/idx.js";
import { images, labels } from "../../src/data/images.js";
import { FormatError, ShapeError, UnsupportedError } from "../../src/errors.js";
import { type DType, tensor } from "../../src/tensor.js";

/** An IDX file: type, dimensions, values as big-endian bytes. */
function file(type: number, shape: number[], values: number[]): Uint8Array {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.set([0, 0, type, shape.length]);
  shape.forEach((size, axis) => {
    header.writeUInt32BE(size, 4 + 4 * axis);
  });
  return new Uint8Array([...header, ...values]);
}

const small = () => file(8, [2, 3], [1, 2, 3, 4, 5, 255]);

test.each([
  ["ubyte", 0x08, [0, 127, 128, 255], "uint8", [0, 127, 128, 255]],
  ["byte", 0x09, [0, 127, 128, 255], "int8", [0, 127, -128, -1]],
  ["short", 0x0b, [0x7f, 0xff, 0x80, 0x00], "int32", [32767, -32768]],
  ["int", 0x0c, [0x7f, 0xff, 0xff, 0xff, 0x80, 0, 0, 0], "int32", [2147483647, -2147483648]],
  ["float", 0x0d, [0x3f, 0x80, 0, 0, 0xff, 0x80, 0, 0], "float32", [1, Number.NEGATIVE_INFINITY]],
  ["double", 0x0e, [0x3f, 0xb9, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a], "float32", [Math.fround(0.1)]],
])("idx reads %s values", async (_, type, bytes, dtype, values) => {
  for (const data of [file(type, [values.length], bytes), gzipSync(file(type, [values.length], bytes))]) {
    const read = await idx(data);
    expect([read.dtype, read.shape, Array.from(read.data)]).toEqual([dtype, [values.length], values]);
  }
});

test("idx reads ArrayBuffers, views that start anywhere, scalars and empty sets", async () => {
  expect((await idx(small().buffer as ArrayBuffer)).shape).toEqual([2, 3]);
  const inside = new Uint8Array(40).fill(7);
  inside.set(file(0x0c, [1], [0, 0, 1, 0]), 3);
  expect(Array.from((await idx(inside.subarray(3, 15))).data)).toEqual([256]);
  expect(await idx(file(8, [], [9]))).toEqual(tensor(new Uint8Array([9]), []));
  expect((await idx(file(8, [0, 28, 28], []))).shape).toEqual([0, 28, 28]);
});

test("what idx returns is a copy", async () => {
  const bytes = small();
  const read = await idx(bytes);
  bytes.fill(0);
  expect(Array.from(read.data)).toEqual([1, 2, 3, 4, 5, 255]);
});

const wrong: [what: string, bytes: Uint8Array, message: RegExp][] = [
  ["nothing", new Uint8Array(0), /expected a header of 4 bytes, got the end of the file at byte 0/],
  ["half a header", small().slice(0, 9), /expected a header of 12 bytes, got the end of the file at byte 9/],
  [
    "another format",
    Uint8Array.from([0x89, 0x50, 0x4e, 0x47]),
    /expected 0000 and a type byte .* at byte 0, got 89504e/,
  ],
  ["an unknown type", file(0x0a, [1], [1]), /expected 0000 and a type byte \(08 ubyte.*\) at byte 0, got 00000a/],
  ["too many dimensions", file(8, Array(9).fill(1), [1]), /expected at most 8 dimensions at byte 3, got 9/],
  ["a value missing", small().slice(0, -1), /expected 18 bytes for ubyte \[2, 3\], got 17 bytes/],
  ["a value too many", new Uint8Array([...small(), 0]), /expected 18 bytes for ubyte \[2, 3\], got 19 bytes/],
  [
    "4 GiB promised",
    file(8, [2 ** 31, 2], []),
    /expected dimensions of less than 4 GiB at byte 4, got ubyte \[2147483648, 2\]/,
  ],
  ["2^256 values promised", file(14, Array(8).fill(2 ** 32 - 1), []), /expected dimensions of less than 4 GiB/],
  [
    "absurd dimensions behind an empty one",
    file(8, [0, 2 ** 31, 2 ** 31], []),
    /expected dimensions of less than 4 GiB/,
  ],
];

test.each(wrong)(
  "idx of %s is a FormatError that says what was expected, what came and where",
  async (_, bytes, message) => {
    await expect(idx(bytes)).rejects.toThrow(FormatError);
    await expect(idx(bytes)).rejects.toThrow(message);
    await expect(idx(bytes)).rejects.toMatchObject({
      op: "idx",
      expected: expect.any(String),
      actual: expect.any(String),
    });
    await expect(idx(gzipSync(bytes))).rejects.toThrow(FormatError);
  },
);

test.each([
  ["cut short", gzipSync(small()).subarray(0, -3), /a gzip file that ends in its output's length, 18/],
  [
    "followed by other bytes",
    Buffer.concat([gzipSync(small()), Buffer.from("tail")]),
    /ends in its output's length, 18|with nothing after it/, // which of the two depends on how early zlib reads the tail
  ],
  ["of two members", Buffer.concat([gzipSync(small()), gzipSync(small())]), /./],
  ["of nothing", gzipSync(new Uint8Array(0)), /expected a header of 4 bytes/],
  ["cut down to its magic", gzipSync(small()).subarray(0, 2), /sound gzip data/],
])("idx of gzip data %s is a FormatError", async (_, bytes, message) => {
  await expect(idx(bytes)).rejects.toThrow(FormatError);
  await expect(idx(bytes)).rejects.toThrow(message);
});

test("idx of gzip data with a flipped checksum bit is a FormatError with its cause", async () => {
  const bytes = gzipSync(small());
  bytes[bytes.length - 6] ^= 1;
  await expect(idx(bytes)).rejects.toMatchObject({ name: "FormatError", cause: expect.any(Error) });
});

test("a gzip bomb is left as soon as it says more than its header promised", async () => {
  const total = 64 * 2 ** 20;
  const bomb = gzipSync(Buffer.concat([file(8, [100], []), Buffer.alloc(total)]));
  await expect(idx(bomb)).rejects.toThrow(/ends in its output's length, 108/);
  bomb.writeUInt32LE(108, bomb.length - 4); // a trailer that lies as well
  const before = process.memoryUsage().arrayBuffers;
  await expect(idx(bomb)).rejects.toThrow(
    /expected 108 bytes of gzip output, as its header says, got \d+ bytes or more/,
  );
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(total / 4);
});

test("a gzip file that promises 3 GiB and holds nothing takes no memory", async () => {
  const bytes = gzipSync(file(8, [3 * 2 ** 30], []));
  bytes.writeUInt32LE(3 * 2 ** 30 + 8, bytes.length - 4);
  const before = process.memoryUsage().arrayBuffers;
  await expect(idx(bytes)).rejects.toThrow(FormatError);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
});

test("where there is no DecompressionStream, idx says so", async () => {
  const had = globalThis.DecompressionStream;
  try {
    Object.assign(globalThis, { DecompressionStream: undefined });
    await expect(idx(gzipSync(small()))).rejects.toThrow(UnsupportedError);
    expect((await idx(small())).shape).toEqual([2, 3]);
  } finally {
    Object.assign(globalThis, { DecompressionStream: had });
  }
});

test("idx of what is no bytes is a TypeError", async () => {
  await expect(idx("train-images" as unknown as Uint8Array)).rejects.toThrow(TypeError);
});

/** The tensor, or undefined for a FormatError; any other error fails. */
const read = (bytes: Uint8Array) =>
  idx(bytes).catch((error: unknown) => {
    if (error instanceof FormatError) return undefined;
    throw error;
  });

test("arbitrary bytes give a tensor or a FormatError", async () => {
  const start = fc.constantFrom(
    [],
    [0, 0],
    [0, 0, 8],
    [0, 0, 8, 1, 0, 0, 0],
    [0x1f, 0x8b],
    [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3],
  );
  await fc.assert(
    fc.asyncProperty(start, fc.uint8Array({ maxLength: 64 }), async (prefix, rest) => {
      await read(new Uint8Array([...prefix, ...rest]));
    }),
    { numRuns: 500 },
  );
});

test("a mutated gzip file gives the same tensor or a FormatError", async () => {
  const values = Array.from({ length: 600 }, (_, i) => (i * i) % 251);
  const sound = gzipSync(file(8, [20, 30], values));
  const mutation = fc.record({
    at: fc.nat({ max: sound.length - 1 }),
    remove: fc.nat({ max: 3 }),
    insert: fc.uint8Array({ maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 3 }), async (mutations) => {
      let bytes: Uint8Array = sound;
      for (const { at, remove, insert } of mutations) {
        bytes = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]);
      }
      const result = await read(bytes);
      if (result === undefined || !isGzip(bytes)) return;
      expect(Array.from(result.data)).toEqual(values);
    }),
    { numRuns: 500 },
  );
});

const isGzip = (bytes: Uint8Array) => bytes[0] === 0x1f && bytes[1] === 0x8b;

const arrays = { uint8: Uint8Array, int8: Int8Array, int32: Int32Array, float32: Float32Array } as const;

test("toIdx writes what idx reads, for any dtype and shape", async () => {
  const shapes = fc.array(fc.nat({ max: 5 }), { maxLength: 4 });
  const dtypes = fc.constantFrom(...(Object.keys(arrays) as (keyof typeof arrays)[]));
  await fc.assert(
    fc.asyncProperty(shapes, dtypes, fc.infiniteStream(fc.integer()), async (shape, dtype, numbers) => {
      const size = shape.reduce((n, d) => n * d, 1);
      const data = new arrays[dtype](size);
      for (let i = 0; i < size; i++) data[i] = numbers.next().value;
      const written = tensor(data, shape);
      expect(await idx(toIdx(written))).toEqual(written);
      expect(await idx(gzipSync(toIdx(written)))).toEqual(written);
    }),
  );
});

test("toIdx writes bool as ubyte, and bytes as the format wants them", () => {
  expect(toIdx(tensor([[true, false]]))).toEqual(file(8, [1, 2], [1, 0]));
  expect(toIdx(tensor(new Int32Array([-2]), [1]))).toEqual(file(0x0c, [1], [255, 255, 255, 254]));
  expect(gunzipSync(gzipSync(toIdx(tensor(new Float32Array([-0]), []))))).toEqual(
    Buffer.from(file(0x0d, [], [128, 0, 0, 0])),
  );
});

test("images scales bytes to [0, 1] and puts a channel last", () => {
  const pixels = tensor(new Uint8Array([0, 51, 128, 255]), [1, 2, 2]);
  expect(images(pixels)).toEqual(tensor(new Float32Array([0, 51 / 255, 128 / 255, 1]), [1, 2, 2, 1]));
  expect(images({ ...pixels, shape: [1, 1, 2, 2] }).shape).toEqual([1, 1, 2, 2]);
  expect(() => images({ ...pixels, shape: [4] })).toThrow(ShapeError);
  expect(() => images(tensor(new Float32Array(4), [1, 2, 2]))).toThrow(/^images: expected uint8 pixels, got float32/);
});

test("labels makes int32 of whole numbers", () => {
  expect(labels(tensor(new Uint8Array([5, 255]), [2]))).toEqual(tensor(new Int32Array([5, 255]), [2]));
  expect(() => labels(tensor(new Float32Array(2), [2]))).toThrow(TypeError);
  expect(() => labels(tensor(new Uint8Array(2), [1, 2]))).toThrow(
    /^labels: expected class numbers \[n\], got \[1, 2\]/,
  );
  expect(() => labels(tensor([true] as const, [1], "bool" satisfies DType))).toThrow(TypeError);
});
