// Sequences of no steps and images of no pixels: layers that make one number of many refuse them, others make nothing of nothing.
import { describe, expect, test } from "vitest";
import * as lw from "../../src/index.js";

const { input, ShapeError } = lw;

describe("nothing is refused by", () => {
  const cases: [string, readonly number[], lw.Layer][] = [
    ["globalAveragePooling1d", [0, 4], lw.globalAveragePooling1d()],
    ["globalMaxPooling1d", [0, 4], lw.globalMaxPooling1d()],
    ["globalAveragePooling2d", [0, 5, 4], lw.globalAveragePooling2d()],
    ["globalMaxPooling2d", [5, 0, 4], lw.globalMaxPooling2d()],
    ["flatten", [0, 4], lw.flatten()],
    ["dense", [3, 0], lw.dense(2)],
    ["groupNormalization", [0, 4], lw.groupNormalization({ groups: 2 })],
    ["upSampling2d", [0, 5, 4], lw.upSampling2d()],
    ["conv1d", [0, 4], lw.conv1d(2, 3, { padding: "same" })],
    ["maxPooling1d", [0, 4], lw.maxPooling1d(2, { padding: "same" })],
    ["lstm", [0, 4], lw.lstm(3)],
    ["transformerBlock", [0, 4], lw.transformerBlock({ numHeads: 2, intermediateDim: 4 })],
  ];
  test.each(cases)("%s", (name, shape, layer) => {
    expect(() => layer(input(shape))).toThrow(ShapeError);
    expect(() => layer(input(shape))).toThrow(name);
  });
});

test("layers of each step by itself make nothing of nothing", () => {
  for (const layer of [lw.dense(4), lw.layerNormalization(), lw.dropout(0.5), lw.masking()])
    expect(layer(input([0, 4])).shape).toEqual([1, 0, 4]);
});
