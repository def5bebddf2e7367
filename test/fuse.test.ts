// What passes/fuse.ts puts together, and what it must leave alone.
import { expect, test } from "vitest";
import { apply, type Value } from "../src/graph/value.js";
import { roots, topological } from "../src/graph/walk.js";
import { input, relu } from "../src/index.js";
import { activationOps } from "../src/ops/activation.js";
import { maxPool2d, poolOps } from "../src/ops/pool.js";
import { fuse } from "../src/passes/fuse.js";

const attrs = { size: [2, 2], strides: [2, 2], padding: "valid" } as const;

const opsAfter = (inputs: Value[], outputs: Value[]): string[] => {
  const graph = fuse({ inputs, outputs, effects: [] });
  const names = topological(roots(graph)).map(({ op }) => op.name);
  return names.filter((name) => name.endsWith("Grad"));
};

const x = input([4, 4, 8]);
const dy = input([2, 2, 8]);
const y = relu(x);
const pooled = apply(poolOps.maxPool2dGrad, [y, dy], attrs);

test("relu's gradient goes into that of the max pooling of its result", () => {
  expect(
    opsAfter([x, dy], [maxPool2d(y, [2, 2], [2, 2], "valid"), apply(activationOps.reluGrad, [y, pooled])]),
  ).toEqual(["maxPool2dGrad"]);
});

test("but not where somebody else reads the pooling's gradient", () => {
  const both = [apply(activationOps.reluGrad, [y, pooled]), pooled];
  expect(opsAfter([x, dy], both)).toEqual(["maxPool2dGrad", "reluGrad"]);
});

test("and not where the pooling is of something else than relu's result", () => {
  const other = apply(activationOps.reluGrad, [x, pooled]);
  expect(opsAfter([x, dy], [other])).toEqual(["maxPool2dGrad", "reluGrad"]);
});
