import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  add,
  build,
  clip,
  constant,
  conv2d,
  dense,
  FormatError,
  flatten,
  input,
  load,
  save,
  sequential,
  type Tensor,
  tensor,
} from "../../src/index.js";
import { cnn } from "../cnn.js";
import { edited, find, type GraphJson, type Header } from "./edited.js";

const small = () =>
  build(
    input([6, 6, 1]),
    sequential(conv2d(2, 3, { activation: "relu" }), flatten(), dense(3, { activation: "softmax" })),
    { name: "small" },
  );

describe("save, then load", () => {
  test("gives the same name, weights, predictions and bytes", async () => {
    const model = await cnn({ seed: 3, rate: 0.5 });
    const bytes = save(model);
    const copy = await load(bytes);
    expect(copy.name).toBe(model.name);
    expect(copy.weights()).toEqual(model.weights());
    const x = Float32Array.from({ length: 784 * 3 }, (_, i) => (i % 17) / 16);
    expect((copy.predict(x) as Tensor).data).toEqual((model.predict(x) as Tensor).data);
    expect(save(copy)).toEqual(bytes);
    expect(copy.summary()).toBe(model.summary());
  });

  test("takes Node's Buffers, which lie within larger memory", async () => {
    const model = await build(input([4]), dense(3), { seed: 5 });
    const bytes = save(model);
    const within = Buffer.alloc(bytes.length + 64).fill(1);
    within.set(bytes, 24);
    const copy = await load(within.subarray(24, 24 + bytes.length));
    expect(copy.weights()).toEqual(model.weights());
  });

  test("keeps constants, and takes ArrayBuffers and Responses", async () => {
    const x = input([3]);
    const model = await build(x, add(dense(3)(x), constant(tensor([1, 2, 3]))));
    const bytes = save(model);
    for (const source of [bytes.slice().buffer, new Response(bytes.slice())]) {
      const copy = await load(source);
      expect((copy.predict(new Float32Array(3)) as Tensor).data).toEqual(Float32Array.of(1, 2, 3));
    }
  });

  test("costs at most 4 KB and the graph over the weights", async () => {
    const model = await cnn();
    const weights = Object.values(model.weights()).reduce((sum, { data }) => sum + data.byteLength, 0);
    const bytes = save(model);
    const graph = JSON.parse(
      new TextDecoder().decode(bytes.subarray(8, 8 + new DataView(bytes.buffer).getUint32(0, true))),
    ).__metadata__.lanewise;
    expect(bytes.length).toBeLessThanOrEqual(weights + 4096 + graph.length);
  });
});

describe("damaged files are refused with a FormatError", () => {
  test("every truncation of the header, and some of the data", async () => {
    const bytes = save(await small());
    const header = 8 + new DataView(bytes.buffer).getUint32(0, true);
    const lengths = [
      ...Array.from({ length: header }, (_, i) => i),
      ...[header, header + 1, bytes.length - 4, bytes.length - 1],
    ];
    for (const length of lengths)
      await expect(load(bytes.slice(0, length)), `${length} bytes`).rejects.toThrow(FormatError);
  });

  test("any byte of the header replaced: an error of ours, or a model that works", async () => {
    const bytes = save(await small());
    const header = 8 + new DataView(bytes.buffer).getUint32(0, true);
    for (let at = 0; at < header; at++) {
      for (const byte of [0, 0x22, 0x39, 0xff, bytes[at] ^ 1]) {
        const damaged = bytes.slice();
        damaged[at] = byte;
        const model = await load(damaged).catch((error: unknown) => {
          expect(error, `byte ${at} = ${byte}: ${String(error)}`).toBeInstanceOf(FormatError);
        });
        if (model) expect(() => model.plan()).not.toThrow(TypeError);
      }
    }
  });

  test("arbitrary bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        await expect(load(bytes)).rejects.toThrow(FormatError);
      }),
    );
  });

  test("a header length of 2^63", async () => {
    const bytes = save(await small());
    bytes.set([0, 0, 0, 0, 0, 0, 0, 0x80]);
    await expect(load(bytes)).rejects.toThrow("expected a header within");
  });

  const edits: [string, (graph: GraphJson, header: Header) => void, string][] = [
    [
      "an unknown op",
      (graph) => {
        find(graph, "relu").op = "quux";
      },
      'unknown op "quux"',
    ],
    [
      "an op that only passes make",
      (graph) => {
        find(graph, "relu").op = "reluGrad";
      },
      'unknown op "reluGrad"',
    ],
    [
      "a name from Object's prototype as op",
      (graph) => {
        find(graph, "relu").op = "constructor";
      },
      "unknown op",
    ],
    [
      "an unknown attribute",
      (graph) => {
        find(graph, "conv2d").attrs.bogus = 1;
      },
      'attributes strides, padding, dilations, groups, got "bogus"',
    ],
    [
      "a stride of 0",
      (graph) => {
        find(graph, "conv2d").attrs.strides = [0, 1];
      },
      "strides to be 2 integers",
    ],
    [
      "a cycle",
      (graph) => {
        const i = graph.nodes.findIndex((n) => n.op === "relu");
        graph.nodes[i].inputs = [[i, 0]];
      },
      "of a node before it",
    ],
    [
      "a reference beyond the nodes",
      (graph) => {
        graph.outputs = [[10000, 0]];
      },
      "of a node before it",
    ],
    [
      "an absurd weight shape",
      (graph) => {
        find(graph, "state").attrs.shape = [2 ** 30, 2 ** 30];
      },
      "expected tensor",
    ],
    [
      "a newer version",
      (graph) => {
        graph.version = 99;
      },
      "expected a graph of version 1 or 2, got 99",
    ],
    [
      "no outputs",
      (graph) => {
        graph.outputs = [];
      },
      "at least one output",
    ],
    [
      "two weights on one tensor",
      (graph) => {
        const states = graph.nodes.filter((n) => n.op === "state");
        states[1].tensor = states[0].tensor;
      },
      "a tensor of its own",
    ],
    [
      "a tensor that belongs to no node",
      (_, header) => {
        header.extra = { dtype: "F32", shape: [0], data_offsets: [0, 0] };
      },
      'tensor "extra" belongs to no node',
    ],
    [
      "overlapping tensors",
      (_, header) => {
        header["dense/kernel"].data_offsets = [0, 384];
      },
      "expected",
    ],
    [
      "offsets beyond the data",
      (_, header) => {
        header["dense/kernel"].data_offsets = [0, 2 ** 40];
      },
      "data_offsets within",
    ],
    [
      "a dtype that there is not",
      (_, header) => {
        header["dense/kernel"].dtype = "F8";
      },
      "a dtype of F32",
    ],
    [
      "a negative dimension",
      (_, header) => {
        header["dense/kernel"].shape = [-1, 3];
      },
      "non-negative integers",
    ],
  ];
  test.each(edits)("%s", async (_, edit, message) => {
    const bytes = edited(save(await small()), edit);
    await expect(load(bytes)).rejects.toThrow(FormatError);
    await expect(load(bytes)).rejects.toThrow(message);
  });
});

test("attributes that are infinite come back from a file", async () => {
  const x = input([3]);
  const model = await build(x, clip(x, Number.NEGATIVE_INFINITY, 2));
  const again = await load(save(model));
  const data = tensor([[-5, 1, 9]]);
  expect([...(again.predict(data) as Tensor).data]).toEqual([-5, 1, 2]);
});
