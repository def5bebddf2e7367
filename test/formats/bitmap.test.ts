// Weights of mostly zeros in files: as a bitmap and values, bit for bit what they were, and damaged ones refused.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readSafetensors } from "../../src/formats/safetensors.js";
import { build, constant, dense, FormatError, input, load, save, tensor, where } from "../../src/index.js";
import { edited, find, type GraphJson, type Header } from "./edited.js";

/** A dense layer [rows, 16] of which so many weights in a hundred are not zero. */
async function sparse(percent: number, rows = 64) {
  const model = await build(input([rows]), dense(16), { name: "sparse" });
  const data = Float32Array.from({ length: rows * 16 }, (_, i) => ((i * 37) % 100 < percent ? (i % 7) - 3.5 : 0));
  model.setWeights({ "dense/kernel": tensor(data, [rows, 16]) });
  return model;
}

const bytesOf = (x: Float32Array) => [...new Uint8Array(x.buffer, x.byteOffset, x.byteLength)];

describe("weights of mostly zeros", () => {
  test("take a bit each, and their values the rest; any reader sees both", async () => {
    const bytes = save(await sparse(20));
    const { tensors } = readSafetensors(bytes);
    expect(tensors["dense/kernel"]).toMatchObject({ dtype: "float32", shape: [206] });
    expect(tensors["dense/kernel.mask"]).toMatchObject({ dtype: "uint8", shape: [128] });
    // numpy: np.unpackbits(mask, bitorder="little")
    expect(tensors["dense/kernel.mask"].data[0] & 1).toBe(1);
    const whole = save(await sparse(100));
    expect(readSafetensors(whole).tensors["dense/kernel"].shape).toEqual([64, 16]);
    expect(whole.length - bytes.length).toBeGreaterThan(819 * 4 - 128 - 160);
  });

  test("are as they were, for any pattern, size and number", async () => {
    const number = fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.float() });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.array(number, { minLength: 1, maxLength: 97 }),
        async (rows, some) => {
          const model = await build(input([rows]), dense(13));
          const data = Float32Array.from({ length: rows * 13 }, (_, i) => some[i % some.length]);
          model.setWeights({ "dense/kernel": tensor(data, [rows, 13]) });
          const bytes = save(model);
          const copy = await load(bytes);
          expect(bytesOf(copy.weights()["dense/kernel"].data as Float32Array)).toEqual(bytesOf(data));
          expect(save(copy)).toEqual(bytes);
        },
      ),
    );
  });

  test("keep -0 and NaN, which are no zeros", async () => {
    const model = await sparse(5);
    const { data } = model.weights()["dense/kernel"];
    data.set([-0, Number.NaN, Number.POSITIVE_INFINITY], 100);
    model.setWeights({ "dense/kernel": tensor(data, [64, 16]) });
    const copy = await load(save(model));
    expect(bytesOf(copy.weights()["dense/kernel"].data as Float32Array)).toEqual(bytesOf(data as Float32Array));
  });

  test("need no values where they are bools", async () => {
    const { data } = (await sparse(20)).weights()["dense/kernel"];
    const mask = { data: Uint8Array.from(data, (w) => Number(w !== 0)), shape: [1024], dtype: "bool" as const };
    const x = input([1024]);
    const y = input([16]);
    const model = await build([x, y], [where(constant(mask), x, 0), y]);
    const { tensors } = readSafetensors(save(model));
    expect(Object.values(tensors)).toContainEqual({ data: expect.any(Uint8Array), shape: [128], dtype: "uint8" });
    expect((await load(save(model))).predict([new Float32Array(1024).fill(2), new Float32Array(16)])).toEqual(
      model.predict([new Float32Array(1024).fill(2), new Float32Array(16)]),
    );
  });
});

describe("refused is", () => {
  const edits: [string, (graph: GraphJson, header: Header) => void, string][] = [
    [
      "a bitmap for another shape",
      (graph) => {
        find(graph, "state").shape = [64, 17];
      },
      "a bitmap of 136 bytes for [64, 17], got uint8 [128]",
    ],
    [
      "a shape beyond all memory",
      (graph) => {
        find(graph, "state").shape = [2 ** 30, 2 ** 30];
      },
      "a bitmap of",
    ],
    [
      "a shape that is none",
      (graph) => {
        find(graph, "state").shape = [64, -16];
      },
      "expected shape to be",
    ],
    [
      "values as a bitmap",
      (graph) => {
        find(graph, "state").mask = "dense/kernel";
      },
      "a tensor of its own",
    ],
    [
      "a bitmap that there is not",
      (graph) => {
        find(graph, "state").mask = "constructor";
      },
      "a tensor of its own",
    ],
    [
      "a bitmap without values",
      (graph) => {
        delete find(graph, "state").tensor;
      },
      "a tensor of its own",
    ],
    [
      "values of another shape",
      (_, header) => {
        header["dense/kernel"].shape = [103, 2];
      },
      "206 values, as many as bits are set, got [103, 2]",
    ],
  ];
  test.each(edits)("%s", async (_, edit, message) => {
    const bytes = edited(save(await sparse(20)), edit);
    await expect(load(bytes)).rejects.toThrow(FormatError);
    await expect(load(bytes)).rejects.toThrow(message);
  });

  test("a bit more or less than there are values", async () => {
    const bytes = save(await sparse(20));
    const at = bytes.length - 128; // bytes come last
    for (const [byte, message] of [
      [bytes[at] & 0xfe, "expected 205 values, as many as bits are set, got [206]"],
      [0xff, "values, as many as bits are set"],
    ] as const) {
      const damaged = bytes.slice();
      damaged[at] = byte;
      await expect(load(damaged)).rejects.toThrow(FormatError);
      await expect(load(damaged)).rejects.toThrow(message);
    }
  });

  test("a bit behind the last element", async () => {
    const model = await build(input([61]), dense(13));
    model.setWeights({ "dense/kernel": tensor(new Float32Array(61 * 13), [61, 13]) });
    const bytes = save(model);
    bytes[bytes.length - 1] |= 0x80;
    await expect(load(bytes)).rejects.toThrow("expected no bits behind the last element, got some");
  });
});

test("a file of version 1, which says everything, loads", async () => {
  const model = await sparse(100, 2);
  const bytes = edited(save(model), (graph) => {
    const whole = (name: string, shape: number[], initializer: unknown) => ({
      op: "state",
      inputs: [],
      attrs: { name, shape, dtype: "float32", initializer, trainable: true },
      layer: 0,
      tensor: `dense/${name}`,
    });
    const uniform = { kind: "uniform", low: -0.5, high: 0.5 };
    Object.assign(graph, {
      version: 1,
      layers: [{ kind: "dense", name: "dense" }],
      nodes: [
        { op: "input", inputs: [], attrs: { shape: [2], dtype: "float32" } },
        whole("kernel", [2, 16], uniform),
        {
          op: "matmul",
          inputs: [
            [0, 0],
            [1, 0],
          ],
          attrs: { transposeA: false, transposeB: false },
          layer: 0,
        },
        whole("bias", [16], { kind: "constant", value: 0 }),
        {
          op: "add",
          inputs: [
            [2, 0],
            [3, 0],
          ],
          attrs: {},
          layer: 0,
        },
      ],
      inputs: [[0, 0]],
      outputs: [[4, 0]],
    });
  });
  const copy = await load(bytes);
  const x = Float32Array.of(1, 2);
  expect(copy.predict(x)).toEqual(model.predict(x));
  expect(copy.weights()).toEqual(model.weights());
});
