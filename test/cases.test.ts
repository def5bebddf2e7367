// Every op of the table: against its float64 oracle, and its gradients against central differences of the oracle.
import { beforeAll, describe, expect, test } from "vitest";
import type { Value } from "../src/graph/value.js";
import { mul, sum } from "../src/index.js";
import { constant, input, withBatch } from "../src/ops/leaf.js";
import { gradients } from "../src/passes/grad.js";
import { Program } from "../src/program/program.js";
import { Store } from "../src/program/store.js";
import { compile } from "../src/runtime/kernels.js";
import type { Case } from "./cases/case.js";
import { cases } from "./cases.js";
import { type Array64, numbers } from "./oracle/array.js";

let module: WebAssembly.Module;
beforeAll(async () => {
  module = await compile();
});

const leaf = ({ shape, labels }: Case["inputs"][number]): Value => {
  // a rank of 0 cannot be an input: inputs have a batch
  const value = input(shape.length === 0 ? [] : shape.slice(1), { dtype: labels ? "int32" : "float32" });
  return withBatch(value, shape.length === 0 ? 1 : shape[0]);
};

/** What a graph makes of numbers. */
function run(inputs: readonly Value[], outputs: readonly Value[], data: readonly Array64[]): Float32Array[] {
  const program = new Program(new Store(module), { inputs, outputs, effects: [] });
  program.bind();
  inputs.forEach((value, i) => {
    program.view(value).set(data[i].data);
  });
  program.run();
  return program.layout.graph.outputs.map((value) => program.view(value).slice() as Float32Array);
}

function expectNear(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  const size = Math.max(...Array.from(expected, Math.abs), 1e-30);
  for (let i = 0; i < expected.length; i++) {
    expect(Math.abs(actual[i] - expected[i]), `element ${i}: ${actual[i]} for ${expected[i]}`).toBeLessThanOrEqual(
      tolerance * size,
    );
  }
}

describe.each(cases)("$name", ({ inputs, op, oracle, tolerance = 2e-6 }) => {
  test("is near its oracle", () => {
    const leaves = inputs.map(leaf);
    const y = op(...leaves);
    const expected = oracle(...inputs);
    expect(y.shape).toEqual(expected.shape);
    expectNear(run(leaves, [y], inputs)[0], expected.data, tolerance);
  });

  test("has the gradients of its oracle", () => {
    const leaves = inputs.map(leaf);
    const y = op(...leaves);
    const upstream = numbers(y.shape, 99);
    const loss = sum(mul(y, constant({ data: Float32Array.from(upstream.data), shape: y.shape, dtype: "float32" })));
    const wrt = leaves.filter((_, i) => !inputs[i].labels);
    // where nothing flows the gradient is zero
    const flowing = gradients(loss, wrt).map((value, k) => value ?? mul(wrt[k], 0));
    const computed = run(leaves, flowing, inputs);
    const value = (arrays: readonly Array64[]) =>
      oracle(...arrays).data.reduce((total, v, i) => total + v * upstream.data[i], 0);
    const h = 1e-5;
    inputs
      .filter(({ labels }) => !labels)
      .forEach((x, k) => {
        const moved = (i: number, by: number) =>
          value(
            inputs.map((other) =>
              other === x ? { shape: x.shape, data: x.data.map((v, j) => (i === j ? v + by : v)) } : other,
            ),
          );
        const expected = x.data.map((_, i) => (moved(i, h) - moved(i, -h)) / (2 * h));
        expectNear(computed[k], expected, Math.max(tolerance, 5e-6));
      });
  });
});
