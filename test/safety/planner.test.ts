// Properties of the planner and the shape rules over random graphs.
import fc from "fast-check";
import { expect, test } from "vitest";
import { verify } from "../../src/graph/verify.js";
import {
  add,
  dense,
  div,
  input,
  matmul,
  mean,
  mul,
  parameter,
  relu,
  reshape,
  softmax,
  sub,
  sum,
  type Value,
} from "../../src/index.js";
import { inference } from "../../src/passes/inference.js";
import { layout, type Slot } from "../../src/program/plan.js";
import { optimize } from "../../src/program/program.js";
import { alignUp } from "../../src/runtime/arena.js";
import { broadcast, sizeOf } from "../../src/shape.js";

const WIDTH = 6;

/** Ops that keep [batch, WIDTH], so that they combine in any order. */
const steps: ((a: Value, b: Value) => Value)[] = [
  (a) => relu(a),
  (a) => softmax(a),
  add,
  sub,
  mul,
  (a, b) => div(a, add(mul(b, b), 1)),
  (a) => dense(WIDTH)(a),
  (a) => mul(a, parameter([WIDTH])),
  (a) => reshape(reshape(a, [-1, 2, WIDTH / 2]), [-1, WIDTH]),
  (a, b) => add(a, mean(b, -1, { keepDims: true })),
  (a, b) => add(a, sum(b)),
  (a, b) => matmul(matmul(a, b, { transposeB: true }), b),
];

/** A random graph: each step takes two of the values before it. */
const graphs = fc
  .array(fc.tuple(fc.nat(steps.length - 1), fc.nat(), fc.nat()), { minLength: 1, maxLength: 24 })
  .map((plan) => {
    const values: Value[] = [input([WIDTH]), input([WIDTH])];
    for (const [op, i, j] of plan) values.push(steps[op](values[i % values.length], values[j % values.length]));
    return { inputs: values.slice(0, 2), outputs: values.slice(-2), effects: [] };
  });

test("values alive together never overlap, and none lies outside its block", () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const { slots, workspace, kept } = layout(optimize(inference(graph)));
      const unique = [...new Set(slots.values())].filter(({ kind }) => kind !== "state");
      const meet = (a: Slot, b: Slot) =>
        a.kind === b.kind &&
        a.from <= b.to &&
        b.from <= a.to &&
        a.offset < b.offset + alignUp(b.bytes) &&
        b.offset < a.offset + alignUp(a.bytes);
      unique.forEach((a, i) => {
        expect(unique.slice(i + 1).filter((b) => meet(a, b))).toEqual([]);
        expect(a.offset % 64).toBe(0);
        expect(a.offset + a.bytes).toBeLessThanOrEqual(a.kind === "kept" ? kept : workspace);
      });
    }),
    { numRuns: 200 },
  );
});

test("passes keep graphs valid, and their results' shapes", () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const made = optimize(inference(graph));
      verify(graph);
      verify(made);
      expect(made.outputs.map(({ shape }) => shape)).toEqual(graph.outputs.map(({ shape }) => shape));
      expect(made.inputs).toEqual(graph.inputs);
    }),
    { numRuns: 100 },
  );
});

test("broadcasting is commutative, associative and keeps both sizes", () => {
  const dims = fc.array(fc.constantFrom(1, 1, 3, 5), { maxLength: 4 });
  const tryBroadcast = (a: readonly number[], b: readonly number[]) => {
    try {
      return broadcast(a, b, "test");
    } catch {
      return undefined;
    }
  };
  fc.assert(
    fc.property(dims, dims, dims, (a, b, c) => {
      const ab = tryBroadcast(a, b);
      expect(tryBroadcast(b, a)).toEqual(ab);
      const bc = tryBroadcast(b, c);
      if (ab && bc) expect(tryBroadcast(ab, c)).toEqual(tryBroadcast(a, bc));
      if (ab) expect(sizeOf(ab) % sizeOf(a) === 0 && sizeOf(ab) % sizeOf(b) === 0).toBe(true);
    }),
  );
});
