// Properties of the planner and the shape rules over random graphs.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Copy } from "../../src/graph/op.js";
import type { Node } from "../../src/graph/value.js";
import { verify } from "../../src/graph/verify.js";
import {
  add,
  concat,
  dense,
  div,
  exp,
  input,
  matmul,
  mean,
  mul,
  neg,
  parameter,
  relu,
  reshape,
  softmax,
  split,
  stridedSlice,
  sub,
  sum,
  type Value,
} from "../../src/index.js";
import { inference } from "../../src/passes/inference.js";
import { lower } from "../../src/program/lower.js";
import { type Layout, layout, type Slot } from "../../src/program/plan.js";
import { optimize } from "../../src/program/program.js";
import { alignUp } from "../../src/runtime/arena.js";
import { broadcast, sizeOf } from "../../src/shape.js";

const WIDTH = 8;

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

/** Ops that put arrays together and take them apart, at places that suit kernels and at others. */
const moves: typeof steps = [
  (a, b) => stridedSlice(concat([a, b]), [null, 4], [null, 4 + WIDTH]),
  (a, b) => stridedSlice(concat([a, b]), [null, 3], [null, 3 + WIDTH]),
  (a, b) => sum(concat([relu(a), relu(b), a], 0), 0, { keepDims: true }),
  (a) => concat([...split(a, 2)].reverse()),
  (a, b) => concat([split(a, [3, 5])[1], split(b, [3, 5])[0]]),
  (a, b) => split(concat([a, concat([b, relu(a)])]), [2 * WIDTH, WIDTH])[1],
  (a, b) => relu(mul(...(split(concat([add(a, b), sub(a, b)]), 2) as [Value, Value]))),
  (a, b) =>
    sum(reshape(concat([reshape(relu(a), [1, 2, 4]), reshape(b, [1, 2, 4])], 1), [2, WIDTH]), 0, { keepDims: true }),
  (a, b) => add(stridedSlice(reshape(concat([softmax(a), b], 0), [-1]), [4], [4 + WIDTH]), b),
  (a, b) => stridedSlice(concat([a, parameter([1, WIDTH]), b], 0), [1, null], [-1, null]),
  (a, b) => sum(add(concat([exp(a), exp(b)], 0), exp(b)), 0, { keepDims: true }),
  (a, b) => sum(mul(concat([a, b], 0), stridedSlice(concat([a, b], 0), [1], [2])), 0, { keepDims: true }),
  (_, b) => mul(stridedSlice(parameter([3, WIDTH]), [1], [2]), b),
];

/** A random graph: each step takes two of the values before it. */
const graphs = fc
  .array(fc.tuple(fc.nat(), fc.boolean(), fc.nat(), fc.nat()), { minLength: 1, maxLength: 24 })
  .map((plan) => {
    const values: Value[] = [input([WIDTH]), input([WIDTH])];
    for (const [op, moving, i, j] of plan) {
      const list = moving ? moves : steps;
      values.push(list[op % list.length](values[i % values.length], values[j % values.length]));
    }
    return { inputs: values.slice(0, 2), outputs: values.slice(-2), effects: [] };
  });

/** What a run of a program would find and leave in memory: every element has a name of its own, and copies carry names along. */
class Names {
  readonly #memory = new Map<string, string>();
  /** The names that each value should have. */
  readonly #right = new Map<Value, readonly string[]>();
  constructor(readonly plan: Layout) {}

  #place(value: Value, element: number): string {
    const { kind, value: first, offset } = this.plan.slots.get(value) as Slot;
    const state = kind === "state" ? this.plan.order.indexOf(first.node) : "";
    return `${kind} ${state} ${offset + 4 * element}`;
  }

  found = (value: Value): string[] =>
    Array.from({ length: sizeOf(value.shape) }, (_, i) => this.#memory.get(this.#place(value, i)) ?? "nothing");

  #write(value: Value, names: readonly string[]): void {
    names.forEach((name, i) => {
      this.#memory.set(this.#place(value, i), name);
    });
  }

  /** Runs the nodes from one step to another. @throws when one finds in its inputs what is not theirs */
  run(from: number, to: number): void {
    this.plan.order.slice(from, to).forEach((node, i) => {
      for (const value of node.inputs) expect(this.found(value)).toEqual(this.#right.get(value));
      const own = (value: Value) =>
        Array.from({ length: sizeOf(value.shape) }, (_, k) => `${from + i} ${value.index} ${k}`);
      const isCopy = node.op.copies !== undefined;
      for (const value of node.outputs) {
        const names = node.op.view ? (this.#right.get(node.inputs[0]) ?? []) : own(value);
        this.#right.set(value, names);
        if (!node.op.view && !isCopy) {
          this.#apart(node, value);
          this.#write(value, names);
        }
      }
      if (isCopy) this.#copy(node);
      for (const value of node.outputs) expect(this.found(value)).toEqual(this.#right.get(value));
    });
  }

  /** No kernel writes over what it still reads: only the input that it may work in place on can be where its result is. */
  #apart(node: Node, value: Value): void {
    const places = (x: Value) => Array.from({ length: sizeOf(x.shape) }, (_, i) => this.#place(x, i));
    const result = places(value);
    const target = node.inputs[node.op.inPlace ?? -1];
    for (const x of node.inputs) {
      if (x === target && String(places(x)) === String(result)) continue;
      expect(places(x).filter((place) => result.includes(place))).toEqual([]);
    }
  }

  /** Does the copies of a node that its calls do, and says what they would leave if every array were apart. */
  #copy(node: Node): void {
    const apart = new Map<Value, string[]>(node.outputs.map((value) => [value, []]));
    for (const copy of node.op.copies?.(node, node.attrs) ?? []) {
      const moves = elements(copy);
      const isThere = this.#place(copy.x, copy.from) === this.#place(copy.y, copy.to);
      for (const [i, j] of moves) {
        (apart.get(copy.y) as string[])[j] = this.#right.get(copy.x)?.[i] ?? "nothing";
        if (!isThere) this.#memory.set(this.#place(copy.y, j), this.#memory.get(this.#place(copy.x, i)) ?? "nothing");
      }
    }
    for (const [value, names] of apart) this.#right.set(value, names);
  }
}

/** From which element to which a copy goes. */
const elements = ({ loops, from, to }: Copy): (readonly [number, number])[] =>
  loops.reduce<(readonly [number, number])[]>(
    (found, { size, x, y }) =>
      found.flatMap(([i, j]) => Array.from({ length: size }, (_, k) => [i + k * x, j + k * y] as const)),
    [[from, to]],
  );

test("every kernel finds in its inputs what was written for it, run after run", () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const plan = layout(optimize(inference(graph)));
      const names = new Names(plan);
      names.run(0, plan.once);
      for (let run = 0; run < 2; run++) names.run(plan.once, plan.order.length);
    }),
    { numRuns: 300 },
  );
});

const callsOf = (outputs: Value[], inputs: Value[]): string[] =>
  lower(layout(optimize({ inputs, outputs, effects: [] }))).each.map(({ kernel }) => kernel);

test("parts that kernels make in one run of memory are made in place, and taken apart without a copy", () => {
  const [x, y] = [input([16]), input([16])];
  expect(callsOf([concat([relu(x), exp(y)])], [x, y])).toEqual(["f32_relu", "f32_exp"]);
  expect(callsOf([concat([relu(x), concat([exp(y), neg(y)])])], [x, y])).toEqual(["f32_relu", "f32_exp", "f32_neg"]);
  expect(callsOf(split(x, 4).map(relu), [x])).toEqual(["f32_relu", "f32_relu", "f32_relu", "f32_relu"]);
  expect(callsOf([relu(stridedSlice(x, [0, 4], [1, 12]))], [x])).toEqual(["f32_relu"]);
});

test("what cannot be placed is copied", () => {
  const [x, y] = [input([16]), input([16])];
  const copies = (outputs: Value[]) =>
    callsOf(outputs, [x, y]).filter((kernel) => kernel === "x32_strided_copy").length;
  const part = relu(x);
  expect(copies([concat([part, part])])).toBe(1);
  expect(copies([concat([part, y]), concat([y, part])])).toBe(3);
  expect(copies([concat([x, y])])).toBe(2);
  expect(copies(split(x, [3, 13]).map(relu))).toBe(1);
  expect(copies([relu(stridedSlice(x, [0, 1], [1, 9]))])).toBe(1);
  expect(copies([relu(stridedSlice(x, [0, 0], [1, 16], [1, 2]))])).toBe(1);
  expect(copies([concat([reshape(relu(x), [4, 4]), reshape(y, [4, 4])], 1)])).toBe(2);
});

test("values alive together never overlap, and none lies outside its block", () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const { slots, workspace, kept } = layout(optimize(inference(graph)));
      const all = [...new Set(slots.values())].filter(({ kind }) => kind !== "state");
      const unique = all.filter(({ whole }) => whole === undefined);
      for (const part of all.filter(({ whole }) => whole !== undefined)) {
        const { offset, bytes, from, to } = part.whole as Slot;
        const at = part.at as number;
        expect(part.offset).toBe(offset + at);
        expect(at % 16).toBe(0);
        expect(at + part.bytes).toBeLessThanOrEqual(bytes);
        expect(from <= part.from && part.to <= to).toBe(true);
      }
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
