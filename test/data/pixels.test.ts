import fc from "fast-check";
import { expect, test } from "vitest";
import { type ImageOptions, imageFromBytes, imageFromImageData, images } from "../../src/data/index.js";
import { tensor } from "../../src/index.js";

const two = { height: 1, width: 2 };
const read = (bytes: number[], options: Partial<ImageOptions>) => [
  ...imageFromBytes(Uint8Array.from(bytes), { ...two, scale: 1, ...options }).data,
];

test("every layout becomes every number of channels", () => {
  const rgb = [10, 20, 30, 0, 0, 255];
  const rgba = [10, 20, 30, 40, 0, 0, 255, 7];
  const grey = [(10 * 299 + 20 * 587 + 30 * 114) / 1000, (255 * 114) / 1000].map(Math.fround);
  expect(read(rgb, {})).toEqual(rgb);
  expect(read(rgb, { channels: 1 })).toEqual(grey);
  expect(read(rgb, { channels: 4 })).toEqual([10, 20, 30, 255, 0, 0, 255, 255]);
  expect(read(rgba, { layout: "rgba" })).toEqual(rgb);
  expect(read(rgba, { layout: "rgba", channels: 4 })).toEqual(rgba);
  expect(read(rgba, { layout: "rgba", channels: 1 })).toEqual(grey);
  expect(read([5, 9], { layout: "grey" })).toEqual([5, 9]);
  expect(read([5, 9], { layout: "grey", channels: 3 })).toEqual([5, 5, 5, 9, 9, 9]);
  expect(read([5, 9], { layout: "grey", channels: 4 })).toEqual([5, 5, 5, 255, 9, 9, 9, 255]);
});

test("grey of equal colours is that value", () => {
  for (let v = 0; v < 256; v++) expect(read([v, v, v, v, v, v], { channels: 1 })).toEqual([v, v]);
});

test("bytes become 0 to 1, by the same bits as images gives", () => {
  fc.assert(
    fc.property(
      fc.nat(4),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 5 }),
      fc.infiniteStream(fc.nat(255)),
      (n, height, width, stream) => {
        const bytes = Uint8Array.from(stream.take(n * height * width * 3));
        expect(imageFromBytes(bytes, { height, width })).toEqual(images(tensor(bytes, [n, height, width, 3])));
      },
    ),
  );
});

test("mean and std are per channel or for all", () => {
  const options = { mean: [0, 1, 2], std: [1, 2, 4] };
  expect(read([1, 3, 6, 2, 5, 10], options)).toEqual([1, 1, 1, 2, 2, 2]);
  expect(read([0, 255], { layout: "grey", scale: undefined, mean: 0.5, std: 0.5 })).toEqual([-1, 1]);
});

test("ArrayBuffers and what a canvas gives are read as well", () => {
  const data = Uint8ClampedArray.of(255, 0, 0, 9, 0, 255, 0, 9);
  const expected = tensor([
    [
      [
        [1, 0, 0],
        [0, 1, 0],
      ],
    ],
  ]);
  expect(imageFromBytes(data.buffer, { ...two, layout: "rgba" })).toEqual(expected);
  expect(imageFromImageData({ data, width: 2, height: 1 })).toEqual(expected);
});

test.each([
  ["too few bytes", () => read([1, 2, 3], {}), "imageFromBytes: expected 6 bytes an image (1 x 2 x 3), got 3"],
  ["no height", () => read([], { height: 0 }), "height and width to be positive integers"],
  ["a fractional width", () => read([], { width: 1.5 }), "got 1 and 1.5"],
  ["two channels", () => read([], { channels: 2 as never }), "1, 3 or 4 channels, got 2"],
  ["an unknown layout", () => read([], { layout: "bgr" as never }), "a layout of grey, rgb, rgba, got bgr"],
  ["means for other channels", () => read([], { mean: [1, 2] }), "mean of 1 or 3 finite numbers, got 1,2"],
  ["a std of 0", () => read([], { std: 0 }), "no std of 0"],
  ["an array of numbers", () => imageFromBytes([1, 2, 3] as never, two), "bytes as Uint8Array"],
])("%s is refused", (_, wrong, message) => {
  expect(wrong).toThrow(message);
});
