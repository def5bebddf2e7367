// Every op of the table: against its float64 oracle, and its gradients against central differences of the oracle.
import { describe, expect, test } from "vitest";
import { ShapeError } from "../src/errors.js";
import { Program } from "../src/program/program.js";
import { Store } from "../src/program/store.js";
import { train } from "../src/runtime/families/train.js";
import { compile } from "../src/runtime/kernels.js";
import { sizeOf } from "../src/shape.js";
import { benchmarks } from "./cases/benchmarks.js";
import type { Case } from "./cases/case.js";
import { refusals } from "./cases/empty.js";
import { dataOf, graphOf, leafOf, upstreamOf } from "./cases/graph.js";
import { expectNear } from "./cases/near.js";
import { cases } from "./cases.js";
import { type Array64, numbers } from "./oracle/array.js";

const store = new Store(await compile());
store.use(train);

/** The result of a row's graph, and its gradients. */
function compute(each: Case): Float32Array[] {
  const graph = graphOf(each);
  const program = new Program(store, graph);
  program.bind();
  dataOf(each).forEach((numbers, i) => {
    program.view(program.layout.graph.inputs[i]).set(numbers);
  });
  program.run();
  const results = program.layout.graph.outputs.map((value) => program.view(value).slice() as Float32Array);
  program.free();
  return results;
}

const H = 1e-5;
const DIRECTIONS = 64;

/**
 * Directions in which gradients are compared: each element by itself, or in larger arrays every 64th together, each with another
 * weight, so that no wrong element is hidden.
 */
function directions(length: number): Float64Array[] {
  const weights = numbers([length], 5, 0.5, 1.5).data;
  return Array.from({ length: Math.min(length, DIRECTIONS) }, (_, k) =>
    weights.map((w, i) => (i % DIRECTIONS === k ? (i % 3 === 0 ? -w : w) : 0)),
  );
}

describe.each(cases)("$name", (each) => {
  const { inputs, oracle, tolerance = 2e-6 } = each;
  let results: Float32Array[] | undefined;
  const computed = () => {
    results ??= compute(each);
    return results;
  };

  test("is near its oracle", () => {
    const expected = oracle(...inputs);
    expect(graphOf(each).outputs[0].shape).toEqual(expected.shape);
    expectNear(computed()[0], expected.data, tolerance);
  });

  test("has the gradients of its oracle", () => {
    const upstream = upstreamOf(oracle(...inputs).shape).data;
    const value = (arrays: readonly Array64[]) =>
      oracle(...arrays).data.reduce((total, v, i) => total + v * upstream[i], 0);
    inputs
      .filter(({ labels }) => !labels)
      .forEach((x, k) => {
        const replaced = (data: Float64Array) => inputs.map((other) => (other === x ? { ...x, data } : other));
        const slopes = directions(x.data.length).map((direction) => {
          const moved = (h: number) => value(replaced(x.data.map((v, i) => v + h * direction[i])));
          return (moved(H) - moved(-H)) / (2 * H);
        });
        const along = directions(x.data.length).map((direction) =>
          direction.reduce((total, d, i) => total + (d === 0 ? 0 : d * computed()[k + 1][i]), 0),
        );
        expectNear(along, slopes, Math.max(tolerance, 5e-6));
      });
  });
});

test.each(Object.entries(refusals))("%s is refused", (_, [call, told]) => {
  expect(call).toThrow(ShapeError);
  expect(call).toThrow(told);
});

test("every benchmark belongs to a row, whose op takes its shapes", () => {
  const measured = cases.filter(({ benchmark }) => benchmark);
  expect(measured.map(({ title }) => title).sort()).toEqual(Object.keys(benchmarks).sort());
  for (const { title, op, inputs, benchmark = [] } of measured) {
    for (const { shapes } of benchmark) {
      const leaves = shapes.map((shape, i) => leafOf({ ...inputs[i], shape }));
      expect(leaves.length, title).toBe(inputs.length);
      expect(sizeOf(op(...leaves).shape), title).toBeGreaterThan(0);
    }
  }
});
