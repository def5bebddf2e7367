// Files of TensorFlow Lite from strangers: damaged in every way that comes to mind, they are refused with a reason, or are models that run.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { FormatError, UnsupportedError } from "../../src/errors.js";
import { fromTflite } from "../../src/formats/tflite/index.js";
import { readTflite } from "../../src/formats/tflite/schema.js";
import { tensor } from "../../src/index.js";
import { draws } from "../../src/philox.js";
import { arrayOf } from "../../src/tensor.js";
import type { TensorFile } from "./tflite-file.js";
import { A, B, bytes, f, floats, ints, pool, q, single, Y } from "./tflite-single.js";

const folder = new URL("../../../shared/tflite/models/", import.meta.url);

/** Words that arithmetic stumbles over. */
const EXTREMES = [0, 1, -1, 2, 7, 127, -128, 255, 2 ** 15, 2 ** 16, 2 ** 20, 2 ** 28, 2 ** 30, 2 ** 31 - 1, -(2 ** 31)];

/** Positions of the bytes that say what the rest is: all but the numbers of weights. */
function structure(file: Uint8Array): Uint32Array {
  const weights = new Uint8Array(file.length);
  for (const { tensors } of readTflite(file))
    for (const { data } of tensors)
      if (data) weights.fill(1, data.byteOffset - file.byteOffset, data.byteOffset - file.byteOffset + data.length);
  return Uint32Array.from(file.keys()).filter((i) => weights[i] === 0);
}

type Draw = () => number;

/** A file changed in one to three places, mostly of its structure. */
function damaged(file: Uint8Array, places: Uint32Array, others: readonly Uint8Array[], bits: Draw): Uint8Array {
  let made = file.slice();
  const at = () =>
    (bits() % 10 === 0 ? bits() % made.length : places[bits() % places.length]) % Math.max(made.length, 1);
  const word = () => new DataView(made.buffer, made.byteOffset, made.byteLength);
  const aligned = (i: number) => Math.max(0, Math.min(i & ~3, made.length - 4));
  for (let left = 1 + (bits() % 3); left > 0; left--) {
    const kind = bits() % 16;
    if (made.length < 8) break;
    if (kind < 4) made[at()] ^= 1 << (bits() % 8);
    else if (kind < 7) made[at()] = bits() % 256;
    else if (kind < 9) made[at()] = bits() % 2 ? 255 : 0;
    else if (kind < 12) word().setInt32(aligned(at()), EXTREMES[bits() % EXTREMES.length], true);
    else if (kind < 13) word().setInt32(aligned(at()), (bits() % (2 * made.length)) - made.length, true);
    else if (kind < 14) {
      // Words change places.
      const [a, b] = [aligned(at()), aligned(at())];
      const [va, vb] = [word().getInt32(a, true), word().getInt32(b, true)];
      word().setInt32(a, vb, true);
      word().setInt32(b, va, true);
    } else if (kind < 15) {
      // A piece of this or another file.
      const from = others[bits() % others.length];
      const start = bits() % from.length;
      made.set(
        from.subarray(start, start + Math.min(1 + (bits() % 64), made.length)),
        Math.max(0, Math.min(at(), made.length - 64)),
      );
    } else made = made.slice(0, bits() % made.length);
  }
  return made;
}

interface Tally {
  refused: number;
  worked: number;
  ran: number;
}

/** @throws for anything but a refusal or a model */
async function tryOut(file: Uint8Array, tally: Tally, run: boolean): Promise<void> {
  let model: Awaited<ReturnType<typeof fromTflite>>;
  try {
    model = await fromTflite(file);
  } catch (error) {
    if (!(error instanceof FormatError || error instanceof UnsupportedError)) throw error;
    tally.refused++;
    return;
  }
  tally.worked++;
  const sizes = model.inputs.map(({ shape }) => shape.reduce((n, d) => n * d, 1));
  if (!run || Math.max(...sizes) > 1e5) return;
  const given = model.inputs.map(({ shape, dtype, batched = true }, i) =>
    tensor(new (arrayOf(dtype))(sizes[i]), batched ? [1, ...shape] : shape, dtype),
  );
  try {
    model.predict(given);
  } catch (error) {
    // Shapes that an input says are checked when it is fed, and here all inputs are zeros.
    if (!(error instanceof RangeError && error.message.includes("expected the shape"))) throw error;
  }
  tally.ran++;
}

async function assault(files: readonly Uint8Array[], count: (file: Uint8Array) => number, key: number): Promise<Tally> {
  const tally = { refused: 0, worked: 0, ran: 0 };
  for (const [k, file] of files.entries()) {
    const places = structure(file);
    for (let seed = 0; seed < count(file); seed++) {
      const { bits } = draws(key + k, seed);
      await tryOut(damaged(file, places, files, bits), tally, seed % 8 === 0).catch((cause: unknown) => {
        throw new Error(`file ${k}, seed ${seed}: ${String(cause)}`, { cause });
      });
    }
  }
  return tally;
}

const x = q([1, 4, 6], A);
const conv = single(
  "CONV_2D",
  [
    q([1, 3, 4, 2], A),
    { shape: [3, 2, 2, 2], type: "int8", data: bytes(24, 5), scales: [0.1, 0.2, 0.3], axis: 0 },
    { shape: [3], type: "int32", data: Int32Array.of(1, 2, 3) },
    q([1, 3, 4, 3], Y),
  ],
  [
    ["byte", 0],
    ["int", 1],
    ["int", 1],
    ["byte", 1],
    ["int", 1],
    ["int", 1],
  ],
);
const i32 = (shape: number[], data?: readonly number[]): TensorFile => ({
  shape,
  type: "int32",
  ...(data && { data: Int32Array.from(data) }),
});
const own = [
  conv,
  single(
    "RESIZE_BILINEAR",
    [q([1, 3, 4, 2], A), ints(5, 7), q([1, 5, 7, 2], A)],
    [
      ["int", 0],
      ["int", 0],
      ["byte", 1],
      ["byte", 1],
    ],
  ),
  single(
    "STRIDED_SLICE",
    [x, ints(0, 1, 0), ints(1, 4, 6), ints(1, 1, 2), q([1, 3, 3], A)],
    [
      ["int", 1],
      ["int", 2],
      ["int", 4],
      ["int", 8],
      ["int", 16],
    ],
  ),
  single(
    "GATHER",
    [f([1, 4, 6]), i32([2], [2, 0]), f([1, 2, 6])],
    [
      ["int", 1],
      ["int", 1],
    ],
  ),
  single("TRANSPOSE", [f([1, 4, 6]), ints(0, 2, 1), f([1, 6, 4])]),
  single("SPACE_TO_BATCH_ND", [
    q([1, 4, 6, 1], A),
    ints(2, 3),
    { ...ints(1, 1, 0, 0), shape: [2, 2] },
    q([6, 3, 2, 1], A),
  ]),
  single("SOFTMAX", [x, q([1, 4, 6], { scale: 1 / 256, zeroPoint: -128 })], [["float", 0.5]]),
  single("SQUARED_DIFFERENCE", [x, q([6], B, { data: bytes(6, 1) }), q([1, 4, 6], Y)]),
  single(
    "FULLY_CONNECTED",
    [f([1, 6]), { ...f([3, 6]), data: floats(18) }, { ...f([3]), data: floats(3) }, f([1, 3])],
    [
      ["byte", 1],
      ["byte", 1],
      ["byte", 1],
    ],
  ),
  single(
    "ONE_HOT",
    [
      i32([1, 3]),
      i32([], [4]),
      { ...f([]), data: Float32Array.of(1) },
      { ...f([]), data: Float32Array.of(0) },
      f([1, 3, 4]),
    ],
    [["int", 2]],
  ),
];

/** Each of these has something that a number of the file decides: sizes, axes, places, counts. */
const image = q([1, 3, 4, 2], A);
const decided = [
  single("TILE", [f([1, 6]), ints(1, 2), f([1, 12])]),
  single("BROADCAST_TO", [f([1, 1, 6]), ints(1, 3, 6), f([1, 3, 6])]),
  single("MIRROR_PAD", [f([1, 4, 6]), { ...ints(0, 0, 1, 0, 2, 1), shape: [3, 2] }, f([1, 5, 9])], [["byte", 1]]),
  single("PAD", [image, { ...ints(0, 0, 1, 0, 2, 1, 0, 0), shape: [4, 2] }, q([1, 4, 7, 2], A)]),
  single("BATCH_MATMUL", [q([1, 3, 4], A), q([1, 4, 5], B), q([1, 3, 5], Y)]),
  single("PRELU", [x, q([6], B, { data: bytes(6, 2) }), q([1, 4, 6], Y)]),
  single(
    "LOCAL_RESPONSE_NORMALIZATION",
    [f([1, 2, 2, 6]), f([1, 2, 2, 6])],
    [
      ["int", 2],
      ["float", 1.5],
      ["float", 0.25],
      ["float", 0.5],
    ],
  ),
  single("CUMSUM", [f([1, 4, 6]), i32([], [1]), f([1, 4, 6])]),
  single("SUM", [i32([1, 5, 3]), ints(1), i32([1, 3])], [["byte", 0]]),
  single("MEAN", [image, ints(1, 2), q([1, 2], Y)], [["byte", 0]]),
  single("AVERAGE_POOL_2D", [image, q([1, 1, 2, 2], A)], pool),
  single("MAX_POOL_2D", [f([1, 3, 4, 2]), f([1, 1, 2, 2])], pool),
  single("RESIZE_NEAREST_NEIGHBOR", [image, ints(5, 7), q([1, 5, 7, 2], A)], [["byte", 1]]),
  single("SCATTER_ND", [i32([1, 3, 2], [1, 0, 0, 2, 1, 0]), f([1, 3, 4]), ints(2, 3, 4), f([2, 3, 4])]),
  single("REVERSE_SEQUENCE", [f([1, 4, 6]), i32([1], [3]), f([1, 4, 6])], [["int", 1]]),
  single("DYNAMIC_UPDATE_SLICE", [f([1, 4, 6]), { ...f([1, 2, 3]), data: floats(6) }, i32([3]), f([1, 4, 6])]),
  single("DEPTH_TO_SPACE", [q([1, 1, 3, 8], A), q([1, 2, 6, 2], A)], [["int", 2]]),
  single("LEAKY_RELU", [x, q([1, 4, 6], Y)], [["float", 0.25]]),
  single("HARD_SWISH", [x, q([1, 4, 6], Y)]),
  single("L2_NORMALIZATION", [x, q([1, 4, 6], { scale: 1 / 128, zeroPoint: 0 })]),
  single("EQUAL", [x, q([1, 4, 6], B), { shape: [1, 4, 6], type: "bool" }]),
  single("CAST", [x, i32([1, 4, 6])]),
];

describe("damaged files", () => {
  test("10,000 of files written here", async () => {
    const files = [...own, ...decided];
    const tally = await assault(files, () => Math.ceil(10000 / files.length), 100);
    expect(tally.refused).toBeGreaterThan(2000);
    expect(tally.worked).toBeGreaterThan(500);
    expect(tally.ran).toBeGreaterThan(50);
  });

  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  if (names.length === 0)
    console.warn("tflite: ../shared/tflite is not there, 100,000 damaged files of it are skipped");

  test.skipIf(names.length === 0)("100,000 of the models of ../shared/tflite", async () => {
    const files = names.map((name) => new Uint8Array(readFileSync(new URL(name, folder))));
    // As many of each as its size allows: those of a kilobyte most.
    const weight = (file: Uint8Array) => 1 / (4000 + file.length);
    const total = files.reduce((sum, file) => sum + weight(file), 0);
    const tally = await assault(files, (file) => Math.ceil((100000 * weight(file)) / total), 1000);
    expect(tally.refused + tally.worked).toBeGreaterThanOrEqual(100000);
    expect(tally.worked).toBeGreaterThan(5000);
    expect(tally.ran).toBeGreaterThan(500);
  });
});

describe("what a small file may not ask for", () => {
  const refused = async (file: Uint8Array, message: string): Promise<void> => {
    expect(file.length).toBeLessThan(2000);
    await expect(fromTflite(file)).rejects.toThrow(FormatError);
    await expect(fromTflite(file)).rejects.toThrow(message);
  };

  test("gigabytes of arrays", async () => {
    const wide = [1, 2 ** 14, 2 ** 13];
    await refused(single("ABS", [f(wide), f(wide)]), "bytes of arrays");
    await refused(single("TILE", [f([1, 8]), ints(1, 2 ** 24), f([1, 2 ** 27])]), "bytes of arrays");
  });

  test("minutes of arithmetic", async () => {
    const n = 2 ** 12;
    const tensors = [f([1, n, n / 2]), f([1, n / 2, n]), f([1, n, n])];
    await refused(single("BATCH_MATMUL", tensors), "operations");
  });

  test("tables, windows and copies without end", async () => {
    const far = single(
      "CONV_2D",
      [f([1, 4, 4, 1]), { ...f([1, 3, 3, 1]), data: floats(9) }, f([1, 4, 4, 1])],
      [
        ["byte", 0],
        ["int", 1],
        ["int", 1],
        ["byte", 0],
        ["int", 2 ** 20],
        ["int", 2 ** 20],
      ],
    );
    await refused(far, "bytes of arrays");
    const pixels = single("RESIZE_NEAREST_NEIGHBOR", [
      f([1, 1, 1, 0]),
      ints(2 ** 30, 2 ** 30),
      f([1, 2 ** 30, 2 ** 30, 0]),
    ]);
    await refused(pixels, "tables");
    const axes = [1, 100, 2, 100, 2, 2, 2, 2];
    const turned = [0, 7, 6, 5, 4, 3, 2, 1];
    await refused(single("TRANSPOSE", [f(axes), ints(...turned), f(turned.map((axis) => axes[axis]))]), "copies");
  });
});
