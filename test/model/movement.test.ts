// Ops that move numbers, in models: other batch sizes, other dtypes, files, and what they refuse.
import { describe, expect, test } from "vitest";
import {
  average,
  build,
  cast,
  concat,
  concatenate,
  cropping2d,
  dense,
  expandDims,
  flip,
  gather,
  input,
  load,
  max,
  oneHot,
  pad,
  permute,
  repeat,
  repeatVector,
  resize,
  save,
  slice,
  split,
  squeeze,
  stack,
  stridedSlice,
  sum,
  type Tensor,
  tensor,
  tile,
  transpose,
  unstack,
  upSampling2d,
  type Value,
  zeroPadding2d,
} from "../../src/index.js";
import { gradients } from "../../src/passes/grad.js";

/** What a function of Values makes of a tensor, by a model that was saved and loaded. */
async function run(f: (x: Value) => Value, x: Tensor): Promise<Tensor> {
  const model = await build(input(x.shape.slice(1), { dtype: x.dtype }), f);
  const y = model.predict(x) as Tensor;
  const again = (await load(save(model))).predict(x) as Tensor;
  expect(again).toEqual(y);
  return y;
}

const images = tensor(
  Uint8Array.from({ length: 3 * 2 * 4 * 1 }, (_, i) => 10 * i),
  [3, 2, 4, 1],
);

const bytesOf = (f: (x: Value) => Value) => run(f, images).then(({ data, shape }) => ({ data: [...data], shape }));

describe("any batch size, any dtype", () => {
  const rows = (image: number, row: number) => [0, 1, 2, 3].map((j) => 10 * (8 * image + 4 * row + j));

  test("transpose", async () => {
    const { data, shape } = await bytesOf((x) => transpose(x, [0, 2, 1, 3]));
    expect(shape).toEqual([3, 4, 2, 1]);
    expect(data.slice(8, 12)).toEqual([80, 120, 90, 130]);
  });

  test("slice with -1 for the batch, stridedSlice, flip", async () => {
    expect(await bytesOf((x) => slice(x, [0, 1, 0, 0], [-1, 1, 4, 1]))).toEqual({
      data: [0, 1, 2].flatMap((b) => rows(b, 1)),
      shape: [3, 1, 4, 1],
    });
    expect((await bytesOf((x) => stridedSlice(x, [null, -1, null], [null, null, null], [1, 1, -2]))).data).toEqual(
      [0, 1, 2].flatMap((b) => [rows(b, 1)[3], rows(b, 1)[1]]),
    );
    expect((await bytesOf((x) => flip(x, 0))).data).toEqual([2, 1, 0].flatMap((b) => [...rows(b, 0), ...rows(b, 1)]));
  });

  test("pad with a number, and mirrored along the batch", async () => {
    const { data } = await bytesOf((x) => pad(x, [0, 0, [0, 1], 0], { value: 7 }));
    expect(data.slice(0, 10)).toEqual([...rows(0, 0), 7, ...rows(0, 1), 7]);
    // The axis has one element while the graph is defined, so that only this much fits.
    const mirrored = await bytesOf((x) => pad(x, [1, 0, 0, 0], { mode: "symmetric" }));
    expect(mirrored.data.slice(0, 16)).toEqual([...rows(0, 0), ...rows(0, 1), ...rows(0, 0), ...rows(0, 1)]);
    expect(mirrored.data.slice(-8)).toEqual([...rows(2, 0), ...rows(2, 1)]);
    expect(mirrored.shape).toEqual([5, 2, 4, 1]);
  });

  test("concat, split, stack, unstack", async () => {
    const swapped = await bytesOf((x) => concat([...split(x, [1, 3], 2)].reverse(), 2));
    expect(swapped.data.slice(0, 4)).toEqual([10, 20, 30, 0]);
    const stacked = await bytesOf((x) => stack([...unstack(x, 1)].reverse(), 1));
    expect(stacked.data.slice(0, 8)).toEqual([...rows(0, 1), ...rows(0, 0)]);
  });

  test("tile, repeat, expandDims, squeeze", async () => {
    expect((await bytesOf((x) => tile(x, [1, 1, 2, 1]))).data.slice(0, 8)).toEqual([...rows(0, 0), ...rows(0, 0)]);
    expect((await bytesOf((x) => repeat(x, 2, 2))).data.slice(0, 4)).toEqual([0, 0, 10, 10]);
    expect((await bytesOf((x) => expandDims(x, 1))).shape).toEqual([3, 1, 2, 4, 1]);
    expect((await bytesOf((x) => squeeze(x))).shape).toEqual([3, 2, 4]);
  });

  test("resize of bytes, cast, gather by a constant", async () => {
    const wide = await bytesOf((x) => resize(x, [1, 8], { interpolation: "nearest" }));
    expect(wide.data.slice(0, 8)).toEqual(rows(0, 1).flatMap((v) => [v, v]));
    const y = await run((x) => cast(x, "float32"), images);
    expect(y.data).toEqual(Float32Array.from(images.data));
    const labels = tensor(Int32Array.of(2, 0, 5, -1), [4]);
    expect([...(await run((x) => oneHot(x, 3), labels)).data]).toEqual([0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
  });
});

test("splits unequal parts in training too, those unused with a gradient of zeros", () => {
  const x = input([4]);
  const [, second] = split(x, [1, 3]);
  const [dx] = gradients(sum(second), [x]);
  expect(dx?.shape).toEqual([1, 4]);
});

test("the gradient of max goes to ties in equal parts", async () => {
  const x = input([5]);
  const [dx] = gradients(sum(max(x, -1)), [x]);
  const model = await build(x, dx as Value);
  expect([...(model.predict(tensor([[2, 7, 7, -1, 7]])) as Tensor).data]).toEqual(
    [0, 1, 1, 0, 1].map((v) => Math.fround(v / 3)),
  );
});

describe("layers", () => {
  test("permute, repeatVector, zeroPadding2d, cropping2d, upSampling2d", async () => {
    const x = tensor([
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      [
        [7, 8, 9],
        [10, 11, 12],
      ],
    ]);
    expect([...(await run(permute([2, 1]), x)).data.slice(0, 6)]).toEqual([1, 4, 2, 5, 3, 6]);
    expect([
      ...(
        await run(
          repeatVector(2),
          tensor([
            [1, 2],
            [3, 4],
          ]),
        )
      ).data,
    ]).toEqual([1, 2, 1, 2, 3, 4, 3, 4]);
    const image = tensor([
      [
        [[1], [2]],
        [[3], [4]],
      ],
    ]);
    expect([
      ...(
        await run(
          zeroPadding2d([
            [1, 0],
            [0, 1],
          ]),
          image,
        )
      ).data,
    ]).toEqual([0, 0, 0, 1, 2, 0, 3, 4, 0]);
    expect([
      ...(
        await run(
          cropping2d([
            [1, 0],
            [0, 1],
          ]),
          image,
        )
      ).data,
    ]).toEqual([3]);
    expect([...(await run(upSampling2d(2), image)).data]).toEqual([1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]);
    const smooth = await run(upSampling2d([1, 2], { interpolation: "bilinear" }), image);
    expect([...smooth.data]).toEqual([1, 1.25, 1.75, 2, 3, 3.25, 3.75, 4]);
  });

  test("concatenate and average carry a name", async () => {
    const x = input([3]);
    const both = concatenate([x, average([x, dense(3)(x)], { name: "mid" })], { name: "joined" });
    const model = await build(x, both);
    expect(model.outputs[0]).toEqual({ name: "joined", shape: [6], dtype: "float32" });
    expect(model.summary()).toMatch(/mid/);
    expect(
      (
        model.predict(
          tensor([
            [1, 2, 3],
            [4, 5, 6],
          ]),
        ) as Tensor
      ).shape,
    ).toEqual([2, 6]);
  });
});

test.each<[string, () => unknown, RegExp]>([
  [
    "transpose",
    () => transpose(input([3, 4]), [0, 1, 1]),
    /transpose: expected each axis of \[0, 3\) once, got \[0, 1, 1\]/,
  ],
  ["slice", () => slice(input([4]), [0, 2], [-1, 3]), /slice: expected a part of the 4 of axis 1, got 3 from 2 on/],
  ["stridedSlice", () => stridedSlice(input([4]), [0], [1], [0]), /stridedSlice: expected strides .* other than 0/],
  ["pad", () => pad(input([4]), [0, [2, -1]]), /pad: expected paddings of at least 0, got \[2,-1\]/],
  ["pad reflect", () => pad(input([4]), [0, 4], { mode: "reflect" }), /pad: expected a padding of at most 3 .*, got 4/],
  ["pad rank", () => pad(input([4]), [1]), /pad: expected one padding for each axis of \[1, 4\], got 1/],
  ["concat", () => concat([input([4, 2]), input([3, 2])]), /concat: expected shapes that differ .*, got \[1, 3, 2\]/],
  ["concat of nothing", () => concat([]), /concat: expected a list of at least one Value/],
  ["split", () => split(input([7]), 2), /split: expected a divisor of 7, the size of axis 1, got 2/],
  ["split sizes", () => split(input([7]), [3, 3]), /split: expected sizes of 7 together, as of axis 1, got \[3, 3\]/],
  ["squeeze", () => squeeze(input([7]), 1), /squeeze: expected size 1 along axis 1, got 7/],
  ["gather", () => gather(input([7]), input([2])), /gather: expected int32 operands, got float32/],
  ["cast", () => cast(input([7]), "float64" as "float32"), /cast: expected dtype to be one of .*, got "float64"/],
  ["tile", () => tile(input([7]), [2]), /tile: expected one multiple for each axis/],
  ["resize", () => resize(input([7]), [2, 2]), /resize: expected an image/],
  ["permute", () => permute([1, 3]), /permute: expected each axis of 1 to 2 once, got \[1, 3\]/],
  [
    "cropping2d",
    () => cropping2d(2, { name: "crop" })(input([4, 9, 1])),
    /cropping2d "crop": expected an image of more than 4 rows/,
  ],
  ["average", () => average([input([2]), input([3])]), /average: expected inputs of one shape, \[2\], got \[3\]/],
  ["a host tensor", () => flip(tensor([1]) as unknown as Value), /flip: expected a Value .*, got a host tensor/],
])("%s refuses what does not fit", (_, make, message) => {
  expect(make).toThrow(message);
});
