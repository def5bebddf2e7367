// TensorFlow Lite's operators, one by one, in files written here: against naive arithmetic, bytes against the integers of its kernels.
import { describe, expect, test } from "vitest";
import { fromTflite } from "../../src/formats/tflite/index.js";
import { load, save, type Tensor, tensor } from "../../src/index.js";
import { tfliteOps } from "../../src/ops/tflite.js";
import type { TypedArray } from "../../src/tensor.js";
import { clamp, nearestEven } from "../oracle/quantized.js";
import { type OperatorFile, type TensorFile, writeTflite } from "./tflite-file.js";
import { A, B, bytes, f, floats, ints, pool, q, real, run, single, Y } from "./tflite-single.js";

type Code = OperatorFile["code"];
type Options = OperatorFile["options"];

const i32 = (shape: number[], data?: readonly number[]): TensorFile => ({
  shape,
  type: "int32",
  ...(data && { data: Int32Array.from(data) }),
});
const bool = (shape: number[]): TensorFile => ({ shape, type: "bool" });
const truths = (...values: number[]): Tensor => tensor(Uint8Array.from(values), [1, values.length], "bool");
const u = floats(24);
const x8 = bytes(24, 3);

/** Every index of a shape. */
const each = <T>(shape: readonly number[], of: (...i: number[]) => T): T[] =>
  shape.reduceRight<(prefix: number[]) => T[]>(
    (inner, d) => (prefix) => Array.from({ length: d }, (_, i) => inner([...prefix, i])).flat() as T[],
    (index) => [of(...index)],
  )([]);
const at = (i: number, j: number, k: number): number => (i * 3 + j) * 4 + k;

/** A file of one operator with several results, the last tensors. */
async function many(code: Code, tensors: readonly TensorFile[], results: number, x: TypedArray, options?: Options) {
  const n = tensors.length - results;
  const model = await fromTflite(
    writeTflite({
      tensors,
      inputs: tensors.flatMap(({ data }, i) => (data || i >= n ? [] : [i])),
      outputs: tensors.flatMap((_, i) => (i < n ? [] : [i])),
      operators: [
        {
          code,
          inputs: tensors.flatMap((_, i) => (i < n ? [i] : [])),
          outputs: tensors.flatMap((_, i) => (i < n ? [] : [i])),
          ...(options && { options }),
        },
      ],
    }),
  );
  return (model.predict(x) as Tensor[]).map(({ data }) => [...data]);
}

describe("what moves", () => {
  test("SPLIT, SPLIT_V and UNPACK give several results", async () => {
    const halves = [f([1, 2, 3, 2]), f([1, 2, 3, 2])];
    const [left, right] = await many("SPLIT", [ints(-1), f([1, 2, 3, 4]), ...halves], 2, u, [["int", 2]]);
    expect(left).toEqual(each([2, 3, 2], (i, j, k) => u[at(i, j, k)]));
    expect(right).toEqual(each([2, 3, 2], (i, j, k) => u[at(i, j, k + 2)]));
    const parts = [q([1, 2, 1, 4], A), q([1, 2, 2, 4], A)];
    const [first, rest] = await many("SPLIT_V", [q([1, 2, 3, 4], A), ints(1, -1), ints(2), ...parts], 2, x8);
    expect(first).toEqual(each([2, 4], (i, k) => x8[at(i, 0, k)]));
    expect(rest).toEqual(each([2, 2, 4], (i, j, k) => x8[at(i, j + 1, k)]));
    const rows = await many("UNPACK", [f([1, 2, 3, 4]), f([1, 3, 4]), f([1, 3, 4])], 2, u, [
      ["int", 2],
      ["int", 1],
    ]);
    expect(rows).toEqual([[...u.slice(0, 12)], [...u.slice(12)]]);
  });

  test("STRIDED_SLICE with new axes, an ellipsis and steps backwards", async () => {
    const masks = (begin: number, end: number, ellipsis: number, fresh: number, shrink: number): Options =>
      [begin, end, ellipsis, fresh, shrink].map((mask) => ["int", mask] as const);
    // x[..., None, ::-1, 1]
    const got = await run(
      single(
        "STRIDED_SLICE",
        [f([1, 2, 3, 4]), ints(0, 0, 0, 1), ints(0, 0, 0, 2), ints(1, 1, -1, 1), f([1, 2, 1, 3])],
        masks(4, 4, 1, 2, 8),
      ),
      u,
    );
    expect([...got]).toEqual(each([2, 3], (i, j) => u[at(i, 2 - j, 1)]));
    // x[:, 1:, 2:0:-1]
    const back = await run(
      single(
        "STRIDED_SLICE",
        [q([1, 2, 3, 4], A), ints(0, 1, 2), ints(0, 0, 0), ints(1, 1, -1), q([1, 1, 2, 4], A)],
        masks(1, 3, 0, 0, 0),
      ),
      x8,
    );
    expect([...back]).toEqual(each([2, 4], (j, k) => x8[at(1, 2 - j, k)]));
  });

  test("SPACE_TO_BATCH_ND and back, with borders", async () => {
    const pads = { ...ints(1, 0, 0, 2), shape: [2, 2] };
    const spread = await run(
      single("SPACE_TO_BATCH_ND", [q([1, 3, 4, 2], A), ints(2, 3), pads, q([6, 2, 2, 2], A)]),
      x8,
    );
    const pixel = (v: number, w: number, c: number) => (v < 0 || w > 3 ? A.zeroPoint : x8[(v * 4 + w) * 2 + c]);
    expect([...spread]).toEqual(each([2, 3, 2, 2, 2], (p, r, i, j, c) => pixel(2 * i + p - 1, 3 * j + r, c)));
    const tensors = [q([1, 3, 4, 2], A), ints(2, 3), pads, q([6, 2, 2, 2], A), q([1, 3, 4, 2], A)];
    const operators = [
      { code: "SPACE_TO_BATCH_ND", inputs: [0, 1, 2], outputs: [3] },
      { code: "BATCH_TO_SPACE_ND", inputs: [3, 1, 2], outputs: [4] },
    ] as const;
    const model = await fromTflite(writeTflite({ tensors, operators, inputs: [0], outputs: [4] }));
    const two = Int8Array.from([...x8, ...x8].map((v, i) => (i < 24 ? v : -v)));
    expect([...(model.predict(two) as Tensor).data]).toEqual([...two]);
  });

  test("MIRROR_PAD, PADV2, TILE, REVERSE_V2, BROADCAST_TO", async () => {
    const pads = { ...ints(0, 0, 1, 0, 2, 1), shape: [3, 2] };
    const mirrored = await run(single("MIRROR_PAD", [f([1, 4, 6]), pads, f([1, 5, 9])], [["byte", 0]]), u);
    const reflect = (i: number, n: number) => (i < 0 ? -i : i >= n ? 2 * n - 2 - i : i);
    expect([...mirrored]).toEqual(each([5, 9], (i, j) => u[reflect(i - 1, 4) * 6 + reflect(j - 2, 6)]));
    const seven = { ...q([], A), data: Int8Array.of(7) };
    const filled = await run(single("PADV2", [q([1, 4, 6], A), pads, seven, q([1, 5, 9], A)]), x8);
    expect([...filled]).toEqual(each([5, 9], (i, j) => (i < 1 || j < 2 || j > 7 ? 7 : x8[(i - 1) * 6 + j - 2])));
    const tiled = await run(single("TILE", [f([1, 4, 6]), ints(1, 2, 1), f([1, 8, 6])]), u);
    expect([...tiled]).toEqual([...u, ...u]);
    const turned = await run(single("REVERSE_V2", [f([1, 4, 6]), ints(1), f([1, 4, 6])]), u);
    expect([...turned]).toEqual(each([4, 6], (i, j) => u[(3 - i) * 6 + j]));
    const spread = await run(single("BROADCAST_TO", [f([1, 1, 6]), ints(1, 3, 6), f([1, 3, 6])]), u.slice(0, 6));
    expect([...spread]).toEqual([...u.slice(0, 6), ...u.slice(0, 6), ...u.slice(0, 6)]);
  });
});

describe("indices", () => {
  test("GATHER along an axis and with a batch, GATHER_ND, EMBEDDING_LOOKUP", async () => {
    const picked = await run(single("GATHER", [f([1, 2, 3, 4]), i32([2], [2, 0]), f([1, 2, 2, 4])], [["int", 2]]), u);
    expect([...picked]).toEqual(each([2, 2, 4], (i, j, k) => u[at(i, [2, 0][j], k)]));
    const each2 = i32([1, 2, 2], [2, 0, 1, 1]);
    const batched = await run(
      single(
        "GATHER",
        [q([1, 2, 3, 4], A), each2, q([1, 2, 2, 4], A)],
        [
          ["int", 2],
          ["int", 2],
        ],
      ),
      x8,
    );
    expect([...batched]).toEqual(each([2, 2, 4], (i, j, k) => x8[at(i, [2, 0, 1, 1][2 * i + j], k)]));
    // The indices of a batch stand behind an axis that is kept whole.
    const across = await run(
      single(
        "GATHER",
        [f([1, 2, 3, 4]), i32([1, 2], [3, 1]), f([1, 2, 3, 2])],
        [
          ["int", 3],
          ["int", 1],
        ],
      ),
      u,
    );
    expect([...across]).toEqual(each([2, 3, 2], (i, j, k) => u[at(i, j, [3, 1][k])]));
    const nd = await run(single("GATHER_ND", [f([1, 2, 3, 4]), i32([2, 3], [0, 1, 2, 0, 0, 1]), f([2, 4])]), u);
    expect([...nd]).toEqual([...u.slice(20, 24), ...u.slice(4, 8)]);
    const table = { ...f([4, 6]), data: u };
    const row = await run(single("EMBEDDING_LOOKUP", [i32([1]), table, f([1, 6])]), Int32Array.of(2));
    expect([...row]).toEqual([...u.slice(12, 18)]);
    const looked = await run(single("GATHER", [table, i32([1, 3]), f([1, 3, 6])]), Int32Array.of(3, 0, 3));
    expect([...looked]).toEqual([...u.slice(18), ...u.slice(0, 6), ...u.slice(18)]);
  });

  test("ONE_HOT, TOPK_V2, ARG_MIN, ARG_MAX of bytes", async () => {
    const on = { ...f([]), data: Float32Array.of(5) };
    const off = { ...f([]), data: Float32Array.of(-1) };
    const hot = await run(
      single("ONE_HOT", [i32([1, 3]), i32([], [4]), on, off, f([1, 3, 4])], [["int", -1]]),
      Int32Array.of(2, 9, 0),
    );
    expect([...hot]).toEqual(each([3, 4], (i, j) => ([2, 9, 0][i] === j ? 5 : -1)));
    const across = await run(
      single("ONE_HOT", [i32([1, 3]), i32([], [4]), on, off, f([1, 4, 3])], [["int", 1]]),
      Int32Array.of(2, 9, 0),
    );
    expect([...across]).toEqual(each([4, 3], (j, i) => ([2, 9, 0][i] === j ? 5 : -1)));
    const [values, places] = await many(
      "TOPK_V2",
      [q([1, 4, 6], A), i32([], [2]), q([1, 4, 2], A), i32([1, 4, 2])],
      2,
      x8,
    );
    const sorted = each([4], (i) => [...x8.slice(6 * i, 6 * i + 6)].map((v, k) => [v, k]).sort(([a], [b]) => b - a));
    expect(values).toEqual(each([4, 2], (i, k) => sorted[i][k][0]));
    expect(places).toEqual(each([4, 2], (i, k) => sorted[i][k][1]));
    const least = await run(single("ARG_MIN", [q([1, 4, 6], A), ints(-1), i32([1, 4])]), x8);
    expect([...least]).toEqual(each([4], (i) => sorted[i][5][1]));
    const most = await run(single("ARG_MAX", [q([1, 4, 6], A), ints(2), { shape: [1, 4], type: "int64" }]), x8);
    expect([...most]).toEqual(each([4], (i) => sorted[i][0][1]));
  });

  test("SCATTER_ND, DYNAMIC_UPDATE_SLICE, REVERSE_SEQUENCE, CUMSUM", async () => {
    const places = i32([1, 3, 2], [1, 0, 0, 2, 1, 0]);
    const sums = await run(single("SCATTER_ND", [places, f([1, 3, 4]), ints(2, 3, 4), f([2, 3, 4])]), u.slice(0, 12));
    expect([...sums]).toEqual(
      each([2, 3, 4], (i, j, k) =>
        at(i, j, k) >= 12 && j === 0 ? Math.fround(u[k] + u[8 + k]) : i === 0 && j === 2 ? u[4 + k] : 0,
      ),
    );
    const tensors = [
      f([1, 4, 6]),
      { ...f([1, 2, 3]), data: Float32Array.of(1, 2, 3, 4, 5, 6) },
      ints(0, 3, 2),
      f([1, 4, 6]),
    ];
    const placed = await run(single("DYNAMIC_UPDATE_SLICE", tensors), u);
    // It is moved up, so that it lies within.
    expect([...placed]).toEqual(
      each([4, 6], (i, j) => (i >= 2 && j >= 2 && j < 5 ? 1 + (i - 2) * 3 + j - 2 : u[6 * i + j])),
    );
    const turned = await run(
      single(
        "REVERSE_SEQUENCE",
        [f([1, 4, 6]), i32([1], [3]), f([1, 4, 6])],
        [
          ["int", 1],
          ["int", 0],
        ],
      ),
      u,
    );
    expect([...turned]).toEqual(each([4, 6], (i, j) => u[(i < 3 ? 2 - i : i) * 6 + j]));
    const running = await run(
      single(
        "CUMSUM",
        [f([1, 4, 6]), i32([], [1]), f([1, 4, 6])],
        [
          ["byte", 1],
          ["byte", 0],
        ],
      ),
      u,
    );
    running.forEach((v, at) => {
      const [i, j] = [Math.floor(at / 6), at % 6];
      expect(v).toBeCloseTo(
        Array.from({ length: i }, (_, t) => u[6 * t + j]).reduce((s, w) => s + w, 0),
        5,
      );
    });
  });
});

describe("comparisons and choices", () => {
  const compare = {
    LESS: (a: number, b: number) => a < b,
    LESS_EQUAL: (a: number, b: number) => a <= b,
    GREATER: (a: number, b: number) => a > b,
    GREATER_EQUAL: (a: number, b: number) => a >= b,
    EQUAL: (a: number, b: number) => a === b,
    NOT_EQUAL: (a: number, b: number) => a !== b,
  } as const;
  const pair = [Float32Array.of(1, 2, 3, Number.NaN, 2), Float32Array.of(2, 2, 1, 1, Number.NaN)] as const;

  test.each(Object.entries(compare))("%s of floats, int32 and int8 of two scales", async (code, of) => {
    const five = (tensor: (shape: number[]) => TensorFile) =>
      single(code as Code, [tensor([1, 5]), tensor([1, 5]), bool([1, 5])]);
    expect([...(await run(five(f), ...pair))]).toEqual([...pair[0]].map((a, i) => Number(of(a, pair[1][i]))));
    const [a, b] = [Int32Array.of(-(2 ** 31), 5, 2 ** 24 + 1, 7, 0), Int32Array.of(2 ** 31 - 1, 5, 2 ** 24, 8, 0)];
    expect([
      ...(await run(
        five((shape) => i32(shape)),
        a,
        b,
      )),
    ]).toEqual([...a].map((v, i) => Number(of(v, b[i]))));
    const [half, third] = [
      { scale: 0.5, zeroPoint: -3 },
      { scale: 0.25, zeroPoint: 10 },
    ];
    const [p, r] = [Int8Array.of(-3, 0, 5, 100, -128), Int8Array.of(10, 16, 28, 127, -120)];
    const file = single(code as Code, [q([1, 5], half), q([1, 5], third), bool([1, 5])]);
    expect([...(await run(file, p, r))]).toEqual([...p].map((v, i) => Number(of(real(v, half), real(r[i], third)))));
  });

  test("SELECT_V2 and SELECT, LOGICAL_*, REDUCE_ANY and REDUCE_ALL", async () => {
    const [c, d] = [truths(1, 0, 1, 0), truths(1, 1, 0, 0)];
    const chosen = await run(
      single("SELECT_V2", [bool([1, 4]), q([1, 4], A), q([1, 1], A, { data: Int8Array.of(9) }), q([1, 4], A)]),
      c,
      x8.slice(0, 4),
    );
    expect([...chosen]).toEqual([x8[0], 9, x8[2], 9]);
    const of = async (code: Code, ...x: Tensor[]) => [
      ...(await run(single(code, [...x.map(() => bool([1, 4])), bool([1, 4])]), ...x)),
    ];
    expect(await of("LOGICAL_AND", c, d)).toEqual([1, 0, 0, 0]);
    expect(await of("LOGICAL_OR", c, d)).toEqual([1, 1, 1, 0]);
    expect(await of("LOGICAL_NOT", c)).toEqual([0, 1, 0, 1]);
    const over = async (code: Code) => [
      ...(await run(
        single(code, [bool([1, 2, 2]), ints(1), bool([1, 2])], [["byte", 0]]),
        tensor(Uint8Array.of(1, 0, 1, 0), [1, 2, 2], "bool"),
      )),
    ];
    expect(await over("REDUCE_ANY")).toEqual([1, 0]);
    expect(await over("REDUCE_ALL")).toEqual([1, 0]);
  });
});

describe("functions of floats", () => {
  const list = [...u];
  const same = async (code: Code, of: (v: number) => number, options?: Options) => {
    const got = await run(single(code, [f([1, 24]), f([1, 24])], options), u);
    got.forEach((v, i) => {
      expect(v, `${code} of ${list[i]}`).toBeCloseTo(of(list[i]), 5);
    });
  };

  test("of one number", async () => {
    await same("SIN", Math.sin);
    await same("COS", Math.cos);
    await same("CEIL", Math.ceil);
    await same("ROUND", nearestEven);
    await same("SIGN", Math.sign);
    await same("RELU_0_TO_1", (v) => clamp(v, 0, 1));
    await same("RELU_N1_TO_1", (v) => clamp(v, -1, 1));
    await same("ZEROS_LIKE", () => 0);
  });

  test("of two arrays", async () => {
    const b = floats(24).map((v, i) => (v === 0 ? 1 : v * (i % 2 ? 1 : -0.7)));
    const two = async (code: Code, of: (a: number, b: number) => number) => {
      const got = await run(single(code, [f([1, 24]), { ...f([24]), data: b }, f([1, 24])]), u);
      got.forEach((v, i) => {
        expect(v, `${code} of ${u[i]} and ${b[i]}`).toBeCloseTo(of(u[i], b[i]), 4);
      });
    };
    await two("FLOOR_DIV", (p, r) => Math.floor(Math.fround(p / r)));
    await two("FLOOR_MOD", (p, r) => p - r * Math.floor(p / r));
    await two("MAXIMUM", Math.max);
    await two("ADD_N", (p, r) => p + r);
  });

  test("normalizations, pooling of squares", async () => {
    const rows = each([4], (i) => list.slice(6 * i, 6 * i + 6));
    const unit = await run(single("L2_NORMALIZATION", [f([1, 4, 6]), f([1, 4, 6])]), u);
    unit.forEach((v, at) => {
      const row = rows[Math.floor(at / 6)];
      expect(v).toBeCloseTo(row[at % 6] / Math.hypot(...row), 5);
    });
    const local = await run(
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
      u,
    );
    local.forEach((v, at) => {
      const row = rows[Math.floor(at / 6)];
      const near = row.filter((_, k) => Math.abs(k - (at % 6)) <= 2);
      expect(v).toBeCloseTo(row[at % 6] / Math.sqrt(1.5 + 0.25 * near.reduce((s, w) => s + w * w, 0)), 5);
    });
    const [root] = await run(single("L2_POOL_2D", [f([1, 2, 2, 1]), f([1, 1, 1, 1])], pool), u.slice(0, 4));
    expect(root).toBeCloseTo(Math.sqrt(list.slice(0, 4).reduce((s, v) => s + v * v, 0) / 4), 5);
  });

  test.each([
    [0, 0],
    [1, 0],
    [0, 1],
  ])("RESIZE_* with corners %i and half pixels %i", async (corners, half) => {
    const image = f([1, 3, 4, 2]);
    const [h, w] = [5, 7];
    const position = (i: number, n: number, m: number) =>
      corners ? (i * (n - 1)) / (m - 1) : half ? ((i + 0.5) * n) / m - 0.5 : (i * n) / m;
    const pixel = (v: number, r: number, c: number) => u[(v * 4 + r) * 2 + c];
    const bilinear = await run(
      single(
        "RESIZE_BILINEAR",
        [image, ints(h, w), f([1, h, w, 2])],
        [
          ["int", 0],
          ["int", 0],
          ["byte", corners],
          ["byte", half],
        ],
      ),
      u,
    );
    const places = (i: number, n: number, m: number) => {
      const at = clamp(position(i, n, m), 0, n - 1);
      return [Math.floor(at), Math.min(Math.floor(at) + 1, n - 1), at - Math.floor(at)] as const;
    };
    each([h, w, 2], (i, j, c) => [i, j, c]).forEach(([i, j, c], at) => {
      const [[a, b, s], [d, e, t]] = [places(i, 3, h), places(j, 4, w)];
      const row = (v: number) => pixel(v, d, c) * (1 - t) + pixel(v, e, c) * t;
      expect(bilinear[at]).toBeCloseTo(row(a) * (1 - s) + row(b) * s, 5);
    });
    const nearest = await run(
      single(
        "RESIZE_NEAREST_NEIGHBOR",
        [image, ints(h, w), f([1, h, w, 2])],
        [
          ["byte", corners],
          ["byte", half],
        ],
      ),
      u,
    );
    const place = (i: number, n: number, m: number) => {
      const at = half ? ((i + 0.5) * n) / m : position(i, n, m);
      return clamp(corners ? Math.round(at) : Math.floor(at), 0, n - 1);
    };
    expect([...nearest]).toEqual(each([h, w, 2], (i, j, c) => pixel(place(i, 3, h), place(j, 4, w), c)));
  });
});

describe("bytes, in TensorFlow Lite's integers", () => {
  const all = bytes(256, 0);
  const table = async (code: Code, to: typeof A, options?: Options) =>
    run(single(code, [q([1, 256], A), q([1, 256], to)], options), all);
  /** Within `steps` of what real arithmetic gives. */
  const near = (got: TypedArray, of: (v: number) => number, to: typeof A, steps: number) =>
    got.forEach((v, i) => {
      const step = clamp(of(real(all[i], A)) / to.scale + to.zeroPoint, -128, 127);
      expect(Math.abs(v - step), `${all[i]}: ${v} for ${step}`).toBeLessThanOrEqual(steps);
    });

  test("functions of one number", async () => {
    // Factors have 8 bits behind the point.
    near(await table("LEAKY_RELU", Y, [["float", 0.3]]), (v) => (v > 0 ? v : 0.3 * v), Y, 0.8);
    near(await table("ABS", Y), Math.abs, Y, 1);
    near(await table("NEG", Y), (v) => -v, Y, 1);
    near(await table("HARD_SWISH", Y), (v) => (v * clamp(v + 3, 0, 6)) / 6, Y, 1);
    near(await table("GELU", Y, [["byte", 0]]), (v) => 0.5 * v * (1 + erf(v / Math.SQRT2)), Y, 0.51);
    near(await table("GELU", Y, [["byte", 1]]), (v) => 0.5 * v * (1 + erf(v / Math.SQRT2)), Y, 0.51);
    near(await table("LOG", Y), (v) => (v > 0 ? Math.log(v) : -1e9), Y, 0.51);
    near(await table("SQRT", Y), (v) => Math.trunc(Math.sqrt(Math.max(v, 0)) / Y.scale) * Y.scale, Y, 0.01);
    near(await table("RSQRT", Y), (v) => (v > 0 ? 1 / Math.sqrt(v) : 1e9), Y, 1);
  });

  test("HARD_SWISH as MobileNet V3 has it: 16 bits, exactly", async () => {
    // From TensorFlow Lite's own arithmetic, worked out by hand for three inputs: x = -1, 0.5 and 4 of scale 1/16.
    const [from, to] = [
      { scale: 1 / 16, zeroPoint: 0 },
      { scale: 1 / 32, zeroPoint: -10 },
    ];
    const x = Int8Array.of(-16, 8, 64);
    const got = await run(single("HARD_SWISH", [q([1, 3], from), q([1, 3], to)]), x);
    expect([...got]).toEqual([-1 / 3, 0.5 * (3.5 / 6), 4].map((v) => clamp(Math.round(v * 32) - 10, -128, 127)));
  });

  test("MAXIMUM, MINIMUM, SQUARED_DIFFERENCE, PRELU", async () => {
    const y = bytes(24, 5);
    const both = [...x8].map((v, i) => [real(v, A), real(y[i], B)] as const);
    const two = async (code: Code, of: (a: number, b: number) => number) => {
      const got = await run(single(code, [q([1, 24], A), q([1, 24], B), q([1, 24], Y)]), x8, y);
      got.forEach((v, i) => {
        const step = clamp(of(...both[i]) / Y.scale + Y.zeroPoint, -128, 127);
        expect(Math.abs(v - step), `${code} ${i}: ${v} for ${step}`).toBeLessThanOrEqual(1);
      });
    };
    await two("MAXIMUM", Math.max);
    await two("MINIMUM", Math.min);
    await two("SQUARED_DIFFERENCE", (a, b) => (a - b) ** 2);
    await two("PRELU", (a, b) => (a >= 0 ? a : a * b));
  });

  test("SUM and the extrema over axes, LOG_SOFTMAX, L2_NORMALIZATION", async () => {
    const over = async (code: Code, to: typeof A) => [
      ...(await run(single(code, [q([1, 2, 3, 4], A), ints(2), q([1, 2, 4], to)], [["byte", 0]]), x8)),
    ];
    const lists = each([2, 4], (i, k) => [0, 1, 2].map((j) => x8[at(i, j, k)]));
    expect(await over("REDUCE_MAX", A)).toEqual(lists.map((list) => Math.max(...list)));
    expect(await over("REDUCE_MIN", A)).toEqual(lists.map((list) => Math.min(...list)));
    (await over("SUM", Y)).forEach((v, i) => {
      const total = lists[i].reduce((s, w) => s + real(w, A), 0);
      expect(Math.abs(v - clamp(total / Y.scale + Y.zeroPoint, -128, 127))).toBeLessThanOrEqual(0.502);
    });
    const logs = { scale: 1 / 16, zeroPoint: 127 };
    const scores = await run(single("LOG_SOFTMAX", [q([1, 24], A), q([1, 24], logs)]), x8);
    const total = Math.log([...x8].reduce((s, v) => s + Math.exp(real(v, A)), 0));
    scores.forEach((v, i) => {
      expect(Math.abs(v - clamp((real(x8[i], A) - total) * 16 + 127, -128, 127))).toBeLessThanOrEqual(0.51);
    });
    const unit = { scale: 1 / 128, zeroPoint: 0 };
    const made = await run(single("L2_NORMALIZATION", [q([1, 24], A), q([1, 24], unit)]), x8);
    const length = Math.hypot(...[...x8].map((v) => v - A.zeroPoint));
    made.forEach((v, i) => {
      expect(Math.abs(v - clamp(((x8[i] - A.zeroPoint) * 128) / length, -128, 127))).toBeLessThanOrEqual(1);
    });
  });

  test.each([0, 1])("BATCH_MATMUL, the second %i transposed", async (transposed) => {
    const [a, b] = [bytes(2 * 3 * 8, 1), bytes(2 * 8 * 5, 2)];
    const right = transposed ? [1, 2, 5, 8] : [1, 2, 8, 5];
    const to = { scale: 0.9, zeroPoint: 3 };
    const got = await run(
      single(
        "BATCH_MATMUL",
        [q([1, 2, 3, 8], A), q(right, B), q([1, 2, 3, 5], to)],
        [
          ["byte", 0],
          ["byte", transposed],
        ],
      ),
      a,
      b,
    );
    each([2, 3, 5], (p, i, j) => [p, i, j]).forEach(([p, i, j], at) => {
      const sum = Array.from({ length: 8 }, (_, k) => {
        const w = transposed ? b[(p * 5 + j) * 8 + k] : b[(p * 8 + k) * 5 + j];
        return real(a[(p * 3 + i) * 8 + k], A) * real(w, B);
      }).reduce((s, v) => s + v, 0);
      expect(Math.abs(got[at] - clamp(sum / to.scale + 3, -128, 127))).toBeLessThanOrEqual(1);
    });
  });

  test.each([
    [0, 0],
    [1, 0],
    [0, 1],
  ])("RESIZE_BILINEAR with corners %i and half pixels %i", async (corners, half) => {
    const [h, w] = [5, 7];
    const got = await run(
      single(
        "RESIZE_BILINEAR",
        [q([1, 3, 4, 2], A), ints(h, w), q([1, h, w, 2], A)],
        [
          ["int", 0],
          ["int", 0],
          ["byte", corners],
          ["byte", half],
        ],
      ),
      x8,
    );
    const places = (i: number, n: number, m: number) => {
      const at = corners ? (i * (n - 1)) / (m - 1) : half ? ((i + 0.5) * n) / m - 0.5 : (i * n) / m;
      const inside = clamp(at, 0, n - 1);
      const low = Math.floor(inside + 1e-6);
      return [low, Math.min(low + 1, n - 1), nearestEven((inside - low) * 2048)] as const;
    };
    const pixel = (v: number, r: number, c: number) => x8[(v * 4 + r) * 2 + c];
    const expected = each([h, w, 2], (i, j, c) => {
      const [[a, b, s], [d, e, t]] = [places(i, 3, h), places(j, 4, w)];
      const row = (v: number) => pixel(v, d, c) * 2048 + (pixel(v, e, c) - pixel(v, d, c)) * t;
      return Math.floor((row(a) * 2048 + (row(b) - row(a)) * s + 2 ** 21) / 2 ** 22);
    });
    expect([...got]).toEqual(expected);
  });
});

/** Abramowitz and Stegun 7.1.26, within 1.5e-7. */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const tail = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return Math.sign(x) * (1 - tail * Math.exp(-x * x));
}

describe("int32 and types", () => {
  test("arithmetic that floats would round", async () => {
    const [a, b] = [Int32Array.of(2 ** 24 + 1, -7, 7, -(2 ** 31), 5), Int32Array.of(1, 2, -2, -1, 0)];
    const of = async (code: Code) => [...(await run(single(code, [i32([1, 5]), i32([1, 5]), i32([1, 5])]), a, b))];
    expect(await of("ADD")).toEqual([2 ** 24 + 2, -5, 5, 2 ** 31 - 1, 5]);
    expect(await of("SUB")).toEqual([2 ** 24, -9, 9, -(2 ** 31) + 1, 5]);
    expect(await of("MUL")).toEqual([2 ** 24 + 1, -14, -14, -(2 ** 31), 0]);
    expect(await of("DIV")).toEqual([2 ** 24 + 1, -3, -3, -(2 ** 31), 0]);
    expect(await of("FLOOR_DIV")).toEqual([2 ** 24 + 1, -4, -4, -(2 ** 31), 0]);
    expect(await of("FLOOR_MOD")).toEqual([0, 1, -1, 0, 0]);
    expect(await of("MAXIMUM")).toEqual([2 ** 24 + 1, 2, 7, -1, 5]);
    expect(await of("MINIMUM")).toEqual([1, -7, -2, -(2 ** 31), 0]);
    const sum = await run(
      single("SUM", [i32([1, 5]), ints(1), i32([1])], [["byte", 0]]),
      Int32Array.of(2 ** 24, 1, 1, 1, 4),
    );
    expect([...sum]).toEqual([2 ** 24 + 7]);
  });

  test.each([
    ["float32", "int8", Float32Array.of(-1.5, 3.9, 200), [-1, 3, 127]],
    ["int32", "uint8", Int32Array.of(-1, 3, 260), [255, 3, 4]],
    ["uint8", "int32", Uint8Array.of(0, 3, 255), [0, 3, 255]],
    ["int8", "bool", Int8Array.of(0, -3, 5), [0, 1, 1]],
    ["bool", "int64", tensor(Uint8Array.of(0, 1, 1), [1, 3], "bool"), [0, 1, 1]],
  ] as const)("CAST from %s to %s", async (from, to, given, expected) => {
    const got = await run(
      single("CAST", [
        { shape: [1, 3], type: from },
        { shape: [1, 3], type: to },
      ]),
      given,
    );
    expect([...got]).toEqual(expected);
  });

  test("CAST of uint8 with a scale takes the integers", async () => {
    const x = { shape: [1, 3], type: "uint8", scales: [0.5], zeroPoints: [100] } as const;
    expect([...(await run(single("CAST", [x, f([1, 3])]), Uint8Array.of(0, 100, 255)))]).toEqual([0, 100, 255]);
  });
});

test("weights that DEQUANTIZE makes, of half floats and of int8 with scales for channels", async () => {
  const half = {
    shape: [2, 3],
    type: "float16",
    data: Uint16Array.of(0x3c00, 0xc000, 0x3800, 0x4000, 0x0000, 0x3c00),
  } as const;
  const byte = {
    shape: [2, 3],
    type: "int8",
    data: Int8Array.of(2, -4, 1, 8, 0, 4),
    scales: [0.5, 0.25],
    axis: 0,
  } as const;
  for (const weights of [half, byte]) {
    const tensors = [f([1, 3]), weights, f([2, 3]), f([1, 2])];
    const operators = [
      { code: "DEQUANTIZE", inputs: [1], outputs: [2] },
      { code: "FULLY_CONNECTED", inputs: [0, 2], outputs: [3] },
    ] as const;
    const model = await fromTflite(writeTflite({ tensors, operators, inputs: [0], outputs: [3] }));
    expect([...(model.predict(Float32Array.of(1, 2, 3)) as Tensor).data]).toEqual([-1.5, 5]);
  }
});

describe("shapes that a file computes", () => {
  test("SHAPE, STRIDED_SLICE, MUL and PACK into RESHAPE", async () => {
    // reshape(x, [shape(x)[0], shape(x)[1] * shape(x)[2]]), whose result's own shape the file does not say.
    const tensors = [
      f([1, 4, 6]), i32([3]), ints(0), ints(1), ints(1), i32([]), // 0 to 5
      ints(1), ints(2), i32([]), ints(2), ints(3), i32([]), i32([]), i32([2]), f([1, 1], { signature: [1, -1] }), // 6 to 14
    ]; // biome-ignore format: by operator
    const shrink = [0, 0, 0, 0, 1].map((mask) => ["int", mask] as const);
    const operators = [
      { code: "SHAPE", inputs: [0], outputs: [1] },
      { code: "STRIDED_SLICE", inputs: [1, 2, 3, 4], outputs: [5], options: shrink },
      { code: "STRIDED_SLICE", inputs: [1, 6, 7, 4], outputs: [8], options: shrink },
      { code: "STRIDED_SLICE", inputs: [1, 9, 10, 4], outputs: [11], options: shrink },
      { code: "MUL", inputs: [8, 11], outputs: [12] },
      { code: "PACK", inputs: [5, 12], outputs: [13], options: [["int", 2], ["int", 0]] },
      { code: "RESHAPE", inputs: [0, 13], outputs: [14] },
    ] as const; // biome-ignore format: a line each
    const model = await fromTflite(writeTflite({ tensors, operators, inputs: [0], outputs: [14] }));
    expect(model.outputs[0].shape).toEqual([24]);
    expect([...(model.predict(u) as Tensor).data]).toEqual([...u]);
  });

  test("FILL with such a shape", async () => {
    const one = { ...f([]), data: Float32Array.of(2) };
    const tensors = [
      f([1, 4, 6]),
      i32([3]),
      one,
      f([1, 4, 6]),
      f([1, 4, 6]),
      ints(0),
      i32([]),
      i32([], [0]),
      i32([], [8]),
      i32([3]),
      ints(1, 24),
      f([1, 24]),
    ];
    const operators = [
      { code: "SHAPE", inputs: [0], outputs: [1] },
      { code: "FILL", inputs: [1, 2], outputs: [3] },
      { code: "MUL", inputs: [0, 3], outputs: [4] },
    ] as const;
    const model = await fromTflite(writeTflite({ tensors, operators, inputs: [0], outputs: [4] }));
    expect([...(model.predict(u) as Tensor).data]).toEqual([...u].map((v) => 2 * v));
  });

  test("a shape that depends on the input is refused, not guessed", async () => {
    const tensors = [f([1, 4]), i32([1, 4]), f([1, 4])];
    const operators = [
      { code: "CAST", inputs: [0], outputs: [1] },
      { code: "TILE", inputs: [0, 1], outputs: [2] },
    ] as const;
    await expect(fromTflite(writeTflite({ tensors, operators, inputs: [0], outputs: [2] }))).rejects.toThrow(
      'expected tensor "t1" to depend on constants alone',
    );
  });
});

test("a model of such operators is the same when it is saved and loaded", async () => {
  const tensors = [q([1, 3, 4, 2], A), ints(5, 7), q([1, 5, 7, 2], A), q([1, 5, 7, 2], Y)];
  const operators = [
    { code: "RESIZE_BILINEAR", inputs: [0, 1], outputs: [2] },
    { code: "HARD_SWISH", inputs: [2], outputs: [3] },
  ] as const;
  const model = await fromTflite(writeTflite({ tensors, operators, inputs: [0], outputs: [3] }));
  const copy = await load(save(model), { layers: tfliteOps });
  expect((copy.predict(x8) as Tensor).data).toEqual((model.predict(x8) as Tensor).data);
});
