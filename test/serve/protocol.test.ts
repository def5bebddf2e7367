// The Open Inference Protocol v2: every path, both forms of tensors, and what is refused.
import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { build, gather, input, lstm, type Model } from "../../src/index.js";
import { asQuantized, quantizedAdd } from "../../src/ops/quantized/index.js";
import { type Handler, handler } from "../../src/serve/index.js";
import { ask, mixed, serving, small, x } from "./service.js";

let serve: Handler;
let model: Model;
beforeAll(async () => {
  serve = await serving();
  model = await small();
});

const predicted = (rows: ReturnType<typeof x>) => {
  const result = model.predict(Float32Array.from(rows.data));
  return Array.from((result as { data: Float32Array }).data);
};

describe("paths", () => {
  const specification = new URL("../../../shared/specs/open_inference_rest.yaml", import.meta.url);
  test.skipIf(!existsSync(specification))("every path of the specification answers with 200", async () => {
    const text = readFileSync(specification, "utf8");
    const paths = [...text.matchAll(/^ {2}'?(\/v2[^':]*)'?:$/gm)].map(([, path]) => path);
    expect(paths.length).toBe(6);
    for (const path of paths) {
      const full = path.replace(`\${MODEL_NAME}`, "small").replace(`\${MODEL_VERSION}`, "1");
      const { status } = await ask(serve, full, full.endsWith("/infer") ? { inputs: [x(1)] } : undefined);
      expect([path, status]).toEqual([path, 200]);
    }
  });

  test.each(["/v2/health/live", "/v2/health/ready", "/v2", "/v2/", "/v2/models/small/ready", "/v2/models/small"])(
    "%s answers",
    async (path) => {
      expect((await ask(serve, path)).status).toBe(200);
    },
  );

  test("the server says what it is", async () => {
    const { json } = await ask(serve, "/v2");
    expect(json).toMatchObject({ name: "lanewise", extensions: ["binary_tensor_data"] });
    expect(json.version).toBeTypeOf("string");
  });

  test("a model says what it takes and gives", async () => {
    const { json } = await ask(serve, "/v2/models/mixed/versions/1");
    expect(json).toEqual({
      name: "mixed",
      version: "1",
      versions: ["1"],
      platform: "lanewise",
      inputs: [
        { name: "a", datatype: "FP32", shape: [-1, 3] },
        { name: "b", datatype: "INT32", shape: [-1, 2] },
      ],
      outputs: [
        { name: "first", datatype: "FP32", shape: [-1, 2] },
        { name: "second", datatype: "FP32", shape: [-1, 1] },
      ],
    });
  });

  test("all models are listed, and the OpenAPI document names every path", async () => {
    expect((await ask(serve, "/v2/models")).json).toEqual({ models: ["mixed", "small"] });
    const { json } = await ask(serve, "/openapi.json");
    expect(json.openapi).toBe("3.1.0");
    expect(Object.keys(json.paths)).toContain("/v2/models/{model}/versions/{version}/infer");
    const refs = [...JSON.stringify(json).matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name);
    for (const name of refs) expect(json.components.schemas).toHaveProperty(name);
  });
});

describe("infer", () => {
  test("gives what predict gives, flat or nested, with the id of the request", async () => {
    const rows = x(3);
    const flat = await ask(serve, "/v2/models/small/infer", { id: "42", inputs: [rows] });
    const output = { name: "y", shape: [3, 2], datatype: "FP32", data: predicted(rows) };
    expect(flat.json).toEqual({ model_name: "small", model_version: "1", id: "42", outputs: [output] });
    const lists = [0, 1, 2].map((i) => rows.data.slice(4 * i, 4 * i + 4));
    const nested = await ask(serve, "/v2/models/small/infer", { id: "42", inputs: [{ ...rows, data: lists }] });
    expect(nested.json).toEqual(flat.json);
  });

  test("several inputs in any order, and only the outputs that are asked for", async () => {
    const a = { name: "a", shape: [1, 3], datatype: "FP32", data: [1, 2, 3] };
    const b = { name: "b", shape: [1, 2], datatype: "INT32", data: [4, 5] };
    const { json } = await ask(serve, "/v2/models/mixed/infer", { inputs: [b, a], outputs: [{ name: "second" }] });
    const [, second] = (await mixed()).predict([new Float32Array([1, 2, 3]), new Int32Array([4, 5])]) as {
      data: Float32Array;
    }[];
    expect(json.outputs).toEqual([{ name: "second", shape: [1, 1], datatype: "FP32", data: [...second.data] }]);
  });

  test("INT64 goes to int32 inputs", async () => {
    const a = { name: "a", shape: [1, 3], datatype: "FP32", data: [1, 2, 3] };
    const ask64 = (data: number[]) =>
      ask(serve, "/v2/models/mixed/infer", { inputs: [a, { name: "b", shape: [1, 2], datatype: "INT64", data }] });
    expect((await ask64([4, -5])).status).toBe(200);
    expect((await ask64([4, 2 ** 31])).json.error).toBe(
      'input "b": expected integers from -2147483648 to 2147483647, got 2147483648',
    );
  });

  describe("a quantized model", () => {
    const q = { scale: 0.5, zeroPoint: -3 };
    const made = async () => {
      const given = input([4], { name: "x", dtype: "int8", quantization: q });
      const twice = quantizedAdd(given, given, { a: q, b: q, quantization: { scale: 1, zeroPoint: 5 } });
      return build(given, asQuantized(twice, { scale: 1, zeroPoint: 5 }));
    };
    const askQuantized = async (inputs: object[], parameters = {}) => {
      const quantized = handler({ models: { quantized: made } });
      return ask(quantized, "/v2/models/quantized/infer", { inputs, parameters });
    };
    const tensor = (datatype: string, data: number[]) => ({ name: "x", shape: [1, 4], datatype, data });

    test("takes its integers, or real numbers that it quantizes, and gives real numbers when asked", async () => {
      const raw = await askQuantized([tensor("INT8", [-3, -1, 127, -128])]);
      expect(raw.json.outputs[0]).toMatchObject({ datatype: "INT8", data: [5, 7, 127, -120] });
      const real = await askQuantized([tensor("FP32", [0.1, 1.2, 1e9, -1e9])], { dequantize: true });
      expect(real.json.outputs[0]).toMatchObject({ datatype: "FP32", data: [0, 2, 122, -125] });
      expect((await askQuantized([tensor("INT32", [0, 0, 0, 0])])).json.error).toBe(
        'input "x": expected datatype INT8 or FP32, got INT32',
      );
    });

    test("says what its integers stand for", async () => {
      const { json } = await ask(handler({ models: { quantized: made } }), "/v2/models/quantized");
      expect(json.inputs).toEqual([
        { name: "x", datatype: "INT8", shape: [-1, 4], parameters: { scale: 0.5, zero_point: -3 } },
      ]);
    });
  });

  test("an input without a batch has its own shape, and such requests run one by one", async () => {
    const [rows, order] = [input([4], { name: "x" }), input([2], { name: "order", dtype: "int32", batched: false })];
    const serve = handler({ models: { pick: () => build([rows, order], gather(rows, order, 1)) } });
    const pick = (data: number[], shape = [2]) =>
      ask(serve, "/v2/models/pick/infer", { inputs: [x(2), { name: "order", shape, datatype: "INT32", data }] });
    const answers = await Promise.all([pick([3, 0]), pick([1, 1])]);
    expect(answers.map(({ json }) => json.outputs[0].data)).toEqual([
      [0.375, 0, 0.875, 0.5],
      [0.125, 0.125, 0.625, 0.625],
    ]);
    expect((await pick([3, 0], [1, 2])).json.error).toBe('input "order": expected shape [2], got [1, 2]');
  });

  test("what a stateful model carries does not go from one request to the next", async () => {
    const steps = input([3, 2], { name: "x" });
    const serve = handler({ models: { lstm: () => build(steps, lstm(2, { stateful: true, batchSize: 1 })(steps)) } });
    const tensor = { name: "x", shape: [1, 3, 2], datatype: "FP32", data: [1, 2, 3, 4, 5, 6] };
    const [a, b] = [1, 2].map(() => ask(serve, "/v2/models/lstm/infer", { inputs: [tensor] }));
    expect((await a).json.outputs).toEqual((await b).json.outputs);
  });

  const binary = async (parts: Uint8Array[], request: unknown, length?: string) => {
    const head = new TextEncoder().encode(JSON.stringify(request));
    const body = new Blob([head, ...parts] as BlobPart[]);
    const headers = { "Inference-Header-Content-Length": length ?? String(head.length) };
    return serve(new Request("http://localhost/v2/models/small/infer", { method: "POST", body, headers }));
  };
  const bytes = (list: readonly number[]) => new Uint8Array(Float32Array.from(list).buffer);
  const { data: _, ...bare } = x(2);
  const given = { ...bare, parameters: { binary_data_size: 32 } };

  test("tensors as bytes, in and out", async () => {
    const request = { inputs: [given], outputs: [{ name: "y", parameters: { binary_data: true } }] };
    const response = await binary([bytes(x(2).data)], request);
    const length = Number(response.headers.get("Inference-Header-Content-Length"));
    const body = await response.arrayBuffer();
    const json = JSON.parse(new TextDecoder().decode(body.slice(0, length)));
    expect(json.outputs).toEqual([
      { name: "y", shape: [2, 2], datatype: "FP32", parameters: { binary_data_size: 16 } },
    ]);
    expect([...new Float32Array(body.slice(length))]).toEqual(predicted(x(2)));
    const all = await binary([bytes(x(2).data)], { inputs: [given], parameters: { binary_data_output: true } });
    expect(await all.arrayBuffer()).toEqual(body);
  });

  test.each([
    ["too few bytes", [bytes([1])], { inputs: [given] }, 'input "x": expected 32 bytes after the JSON, got 4'],
    [
      "too many bytes",
      [bytes([...x(2).data, 1])],
      { inputs: [given] },
      "expected 32 bytes after the JSON, as the inputs say, got 36",
    ],
    [
      "another size than the shape",
      [bytes([1])],
      { inputs: [{ ...bare, parameters: { binary_data_size: 4 } }] },
      'input "x": expected 32 bytes for [2, 4] of FP32, got 4',
    ],
    [
      "bytes and data",
      [bytes(x(2).data)],
      { inputs: [{ ...x(2), parameters: { binary_data_size: 32 } }] },
      'input "x": expected either data or binary_data_size, got both',
    ],
    [
      "a negative size",
      [],
      { inputs: [{ ...bare, parameters: { binary_data_size: -1 } }] },
      'input "x": expected binary_data_size to be a number of bytes, got -1',
    ],
  ])("refuses %s", async (_, parts, request, error) => {
    const response = await binary(parts, request);
    expect([response.status, await response.json()]).toEqual([400, { error }]);
  });

  test("refuses a header that is no length", async () => {
    for (const length of ["-1", "1e9", "99999", "x", ""]) {
      const response = await binary([], { inputs: [x(1)] }, length);
      expect(response.status).toBe(400);
      expect((await response.json()).error).toMatch(/^Inference-Header-Content-Length: expected at most the \d+ bytes/);
    }
  });
});

describe("what does not fit gets 400 and says what was expected", () => {
  test.each([
    ["no JSON", "{", "expected the body to be JSON"],
    ["nothing", "", "expected the body to be JSON"],
    ["no inputs", {}, /^inputs: expected/],
    ["an empty list", { inputs: [] }, /^inputs: expected/],
    ["an unknown input", { inputs: [{ ...x(1), name: "z" }] }, 'expected input "x", got "z"'],
    ["an input twice", { inputs: [x(1), x(1)] }, 'input "x": expected once, got twice'],
    ["an unknown output", { inputs: [x(1)], outputs: [{ name: "z" }] }, 'expected output "y", got "z"'],
    ["another datatype", { inputs: [{ ...x(1), datatype: "INT32" }] }, 'input "x": expected datatype FP32, got INT32'],
    ["an unknown datatype", { inputs: [{ ...x(1), datatype: "FP64" }] }, /^inputs\.0\.datatype: expected/],
    ["another shape", { inputs: [{ ...x(1), shape: [1, 5] }] }, 'input "x": expected shape [-1, 4], got [1, 5]'],
    ["another rank", { inputs: [{ ...x(1), shape: [4] }] }, 'input "x": expected shape [-1, 4], got [4]'],
    ["a negative dimension", { inputs: [{ ...x(1), shape: [-1, 4] }] }, /^inputs\.0\.shape\.0: expected/],
    ["a broken dimension", { inputs: [{ ...x(1), shape: [0.5, 4] }] }, /^inputs\.0\.shape\.0: expected/],
    ["no shape", { inputs: [{ ...x(1), shape: undefined }] }, /^inputs\.0\.shape: expected/],
    ["no data", { inputs: [{ ...x(1), data: undefined }] }, 'input "x": expected data, got none'],
    [
      "too few numbers",
      { inputs: [{ ...x(2), data: [1] }] },
      'input "x": expected data of shape [2, 4], flat or nested, got a list of 1',
    ],
    ["texts", { inputs: [{ ...x(1), data: ["1", "2", "3", "4"] }] }, 'input "x": expected numbers, got "1"'],
    ["null", { inputs: [{ ...x(1), data: [null, 1, 2, 3] }] }, 'input "x": expected numbers, got null'],
    [
      "lists of wrong lengths",
      {
        inputs: [
          {
            ...x(2),
            data: [
              [1, 2, 3],
              [1, 2, 3, 4],
            ],
          },
        ],
      },
      /flat or nested, got a list of 3$/,
    ],
    ["lists too deep", { inputs: [{ ...x(1), data: [[[1], 2, 3, 4]] }] }, 'input "x": expected numbers, got a list'],
    ["a shape past 2^53", { inputs: [{ ...x(1), shape: [2 ** 52, 4] }] }, /^input "x": expected data of shape/],
    ["a batch of billions", { inputs: [{ ...x(1), shape: [4e9, 4] }] }, /^input "x": expected data of shape/],
    [
      "depth 10,000",
      `{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":${"[".repeat(1e4)}${"]".repeat(1e4)}}]}`,
      /expected/,
    ],
  ])("%s", async (_, body, error) => {
    const { status, json } = await ask(serve, "/v2/models/small/infer", body);
    expect(status).toBe(400);
    if (typeof error === "string") expect(json.error).toBe(error);
    else expect(json.error).toMatch(error);
  });

  test("an input that is missing, and batches that differ", async () => {
    const a = { name: "a", shape: [1, 3], datatype: "FP32", data: [1, 2, 3] };
    const b = { name: "b", shape: [2, 2], datatype: "INT32", data: [4, 5, 6, 7] };
    expect((await ask(serve, "/v2/models/mixed/infer", { inputs: [a] })).json.error).toBe('expected input "b", got a');
    const two = await ask(serve, "/v2/models/mixed/infer", { inputs: [a, b] });
    expect(two.json.error).toBe("expected one batch size for all inputs, got 1 and 2");
  });

  test("no model, no version, no path, no method", async () => {
    for (const path of ["/v2/models/nosuch", "/v2/models/small/versions/7", "/v2/models/..%2f..%2fetc", "/v3"]) {
      const { status, json } = await ask(serve, path);
      expect([path, status]).toEqual([path, 404]);
      expect(json.error).toMatch(/^there is no /);
    }
    expect((await ask(serve, "/v2/models/small/infer")).status).toBe(404);
  });

  test("an empty batch gives an empty result", async () => {
    const { status, json } = await ask(serve, "/v2/models/small/infer", { inputs: [{ ...x(0), data: [] }] });
    expect([status, json.outputs]).toEqual([200, [{ name: "y", shape: [0, 2], datatype: "FP32", data: [] }]]);
  });

  test("numbers that JSON has not are refused in JSON, and given as bytes", async () => {
    const rows = { ...x(1), data: [3e38, 3e38, 3e38, 3e38] };
    const { status, json } = await ask(serve, "/v2/models/small/infer", { inputs: [rows] });
    const result = model.predict(Float32Array.from(rows.data)) as { data: Float32Array };
    if (result.data.every(Number.isFinite)) expect(status).toBe(200);
    else expect([status, json.error]).toEqual([500, expect.stringContaining('"binary_data": true')]);
  });

  test("any bytes at all get an answer", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.option(fc.nat(300)), async (body, length) => {
        const headers: Record<string, string> =
          length === null ? {} : { "Inference-Header-Content-Length": String(length) };
        const url = "http://localhost/v2/models/small/infer";
        const response = await serve(new Request(url, { method: "POST", body: body as BodyInit, headers }));
        expect(response.status).toBe(400);
        expect((await response.json()).error).toBeTypeOf("string");
      }),
      { numRuns: 200 },
    );
    const any = fc.record({
      inputs: fc.array(
        fc.record({
          name: fc.constantFrom("x", "y"),
          shape: fc.array(fc.integer()),
          datatype: fc.constantFrom("FP32", "BOOL"),
          data: fc.anything(),
        }),
      ),
    });
    await fc.assert(
      fc.asyncProperty(any, async (body) => {
        let text: string;
        try {
          text = JSON.stringify(body);
        } catch {
          return; // what JSON cannot say
        }
        const { status } = await ask(serve, "/v2/models/small/infer", text);
        expect([200, 400]).toContain(status);
      }),
      { numRuns: 200 },
    );
  });
});
