// Every row of the table, forward and backward, in each exact build: the same bits in all of them, nothing written where it does not
// belong, and no result that depends on what memory held before. The debug build has its asserts on. What writes states has no row:
// training steps stand for it.
import { describe, expect, test } from "vitest";
import type { Graph, Value } from "../src/graph/value.js";
import { input, relu } from "../src/index.js";
import { lower } from "../src/program/lower.js";
import { layout } from "../src/program/plan.js";
import { optimize, Program } from "../src/program/program.js";
import { Store } from "../src/program/store.js";
import { instantiateKernels } from "../src/runtime/kernels.js";
import type { TypedArray } from "../src/tensor.js";
import { dataOf, graphOf } from "./cases/graph.js";
import { type Machine, type Plan, POISONS, type Poison, runGuarded } from "./cases/guarded.js";
import { steps } from "./cases/steps.js";
import { cases } from "./cases.js";
import { type Build, dotIsExact, expectSameBits, moduleOf } from "./kernels/harness.js";

const machine = (build: Build): Machine => {
  const memory = new WebAssembly.Memory({ initial: 4 });
  return { memory, kernels: instantiateKernels(moduleOf(build), memory) };
};
const simd = machine("simd");
/** SIMD with the kernels that take the place of some where the engine's dot product of bytes is exact. */
const withDots = (): Machine => ({
  memory: simd.memory,
  kernels: { ...simd.kernels, ...instantiateKernels(moduleOf("int8dot"), simd.memory) },
});
const machines: Record<string, Machine> = {
  simd,
  scalar: machine("scalar"),
  debug: machine("debug"),
  ...(dotIsExact() && { int8dot: withDots() }),
};
const builds = Object.keys(machines);
const poisons = Object.keys(POISONS) as Poison[];
const called = new Set<string>();

/** The results of one build, after all others gave the same. */
function inEveryBuild(plan: Plan, feed: (value: Value) => TypedArray): TypedArray[] {
  for (const { kernel } of [...plan.calls.once, ...plan.calls.each]) called.add(kernel);
  const first = runGuarded(machines.simd, plan, feed, "NaN");
  for (const build of builds) {
    for (const poison of poisons) {
      runGuarded(machines[build], plan, feed, poison).forEach((numbers, i) => {
        expectSameBits(numbers, first[i], `result ${i}, ${build} with ${poison} around it, against SIMD with NaN`);
      });
    }
  }
  return first;
}

const planOf = (graph: Graph): Plan => {
  const plan = layout(optimize(graph));
  return { layout: plan, calls: lower(plan) };
};

describe("rows, forward and backward, alone in memory and as planned", () => {
  const store = new Store(moduleOf("simd"));
  test.each(cases.map((each) => [each.name, each] as const))("%s", (_, each) => {
    const graph = graphOf(each);
    const data = dataOf(each);
    const feed = (value: Value) => data[graph.inputs.indexOf(value)];
    const expected = inEveryBuild(planOf(graph), feed);
    const program = new Program(store, graph);
    program.bind();
    for (const value of graph.inputs) program.view(value).set(feed(value));
    program.run();
    program.layout.graph.outputs.forEach((value, i) => {
      expectSameBits(program.view(value), expected[i], `result ${i}, as planned, against values alone in memory`);
    });
    program.free();
  });
});

describe("what a kernel may not do is found:", () => {
  const { memory, kernels } = machines.simd;
  const x = input([7]);
  const plan = planOf({ inputs: [x], outputs: [relu(x), x], effects: [] });
  const withRelu = (f32_relu: Machine["kernels"]["f32_relu"], poison: Poison = "NaN") =>
    runGuarded({ memory, kernels: { ...kernels, f32_relu } }, plan, () => Float32Array.of(1, 2, 3, 4, 5, 6, 7), poison);

  test("writing past its result", () => {
    const call = () => withRelu((n, from, to) => kernels.f32_relu(n + 1, from, to));
    expect(call).toThrow("f32_relu wrote outside the results of relu: 0 bytes after");
  });

  test("writing to its input", () => {
    const call = () => withRelu((n, from) => kernels.f32_relu(n, from + 4, from));
    expect(call).toThrow("f32_relu wrote outside the results of relu: byte 2 of its input input");
  });

  test("leaving a part of its result as it was", () => {
    const short: Machine["kernels"]["f32_relu"] = (n, from, to) => kernels.f32_relu(n - 1, from, to);
    const [[a], [b]] = poisons.map((poison) => withRelu(short, poison));
    expect(() => expectSameBits(a, b)).toThrow("element 6");
  });
});

describe("training steps", () => {
  test.each(steps)("%s", async (_, make) => {
    const { program, feed } = await make();
    inEveryBuild(program, feed);
  });
});

test("every kernel was called", () => {
  const exports = WebAssembly.Module.exports(moduleOf("simd")).map(({ name }) => name);
  // what has no memory to write over, what draws weights when a model is made, what looks for NaN after a step has failed, and what
  // threads alone call
  const others = /^heapBase$|_size$|_scratch$|^u32_philox$|^f32_random_|^f32_count_nonfinite$|^f32_sum_columns$/;
  const missing = exports.filter((name) => !called.has(name) && !others.test(name));
  expect(missing).toEqual([]);
});
