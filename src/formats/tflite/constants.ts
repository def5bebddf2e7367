// The numbers of Values that depend on nothing but constants: shapes that a file computes, which must be known when it is read.
import type { Copy } from "../../graph/op.js";
import type { Value } from "../../graph/value.js";
import { constantOp } from "../../ops/leaf.js";
import { sizeOf } from "../../shape.js";
import { arrayOf } from "../../tensor.js";

/** Elements of an array that is worth knowing: a shape, axes, a range. */
const MAX = 4096;

/** How far back numbers are looked for. */
const DEPTH = 256;

type Numbers = ArrayLike<number>;

const pairs: Readonly<Record<string, (a: number, b: number) => number>> = {
  integerAdd: (a, b) => a + b,
  integerSub: (a, b) => a - b,
  integerMul: Math.imul,
  integerDiv: (a, b) => (b === 0 ? 0 : Math.trunc(a / b)),
  integerFloorDiv: (a, b) => (b === 0 ? 0 : Math.floor(a / b)),
  integerFloorMod: (a, b) => (b === 0 ? 0 : a - Math.floor(a / b) * b),
  integerMaximum: Math.max,
  integerMinimum: Math.min,
  integerLess: (a, b) => Number(a < b),
  logicalAnd: (a, b) => Number(a !== 0 && b !== 0),
};

/** Results by node: each is worked out once, however many read it. */
export class Constants {
  readonly #known = new Map<Value, Numbers | undefined>();

  /** The numbers of a value of int32 or bool; undefined where they are not known before the model runs. */
  of(value: Value, depth = 0): Numbers | undefined {
    if (this.#known.has(value)) return this.#known.get(value);
    const worth = depth < DEPTH && sizeOf(value.shape) <= MAX && value.dtype !== "float32";
    const made = worth || value.node.op === constantOp ? this.#make(value, depth) : undefined;
    this.#known.set(value, made);
    return made;
  }

  #make({ node, index, shape, dtype }: Value, depth: number): Numbers | undefined {
    const { op, data, inputs } = node;
    if (op === constantOp) return data?.data;
    const given = inputs.map((input) => this.of(input, depth + 1));
    if (inputs.length === 0 || given.some((numbers) => numbers === undefined)) return undefined;
    const [a, b, c] = given as readonly Numbers[];
    const many = sizeOf(shape);
    const each = (f: (i: number) => number): Numbers => {
      const made = new (arrayOf(dtype))(many);
      for (let i = 0; i < many; i++) made[i] = f(i);
      return made;
    };
    if (op.view || (op.name === "cast" && dtype !== "float32")) return op.view ? a : each((i) => a[i]);
    if (op.copies) return copied(op.copies(node, node.attrs), node.outputs[index], inputs, given as readonly Numbers[]);
    if (op.name === "broadcastTo") return each((i) => a[placeOf(i, shape, inputs[0].shape)]);
    if (op.name === "logicalNot") return each((i) => Number(a[i] === 0));
    if (op.name === "gather") {
      const axis = node.attrs.axis as number;
      const [n, inner, count] = [inputs[0].shape[axis], sizeOf(inputs[0].shape.slice(axis + 1)), b.length];
      return each((i) => {
        const [outer, k] = [Math.floor(i / (inner * count)), b[Math.floor(i / inner) % count]];
        return k >= 0 && k < n ? a[(outer * n + k) * inner + (i % inner)] : 0;
      });
    }
    const at = (numbers: Numbers, k: number, i: number) => numbers[placeOf(i, shape, inputs[k].shape)];
    if (op.name === "select") return each((i) => (at(a, 0, i) === 0 ? at(c, 2, i) : at(b, 1, i)));
    const pair = Object.hasOwn(pairs, op.name) ? pairs[op.name] : undefined;
    return pair && each((i) => pair(at(a, 0, i), at(b, 1, i)));
  }
}

/** Where element i of a shape comes from in one that is broadcast to it. */
function placeOf(i: number, to: readonly number[], from: readonly number[]): number {
  let [rest, place, step] = [i, 0, 1];
  for (let axis = to.length - 1; axis >= 0; axis--) {
    const k = rest % to[axis];
    rest = (rest - k) / to[axis];
    const own = from[axis - to.length + from.length] ?? 1;
    if (own !== 1) place += k * step;
    step *= own;
  }
  return place;
}

/** What an op's copies leave in one of its results. */
function copied(copies: readonly Copy[], y: Value, inputs: readonly Value[], given: readonly Numbers[]): Numbers {
  const made = new (arrayOf(y.dtype))(sizeOf(y.shape));
  for (const copy of copies) {
    if (copy.y !== y) continue;
    const source = given[inputs.indexOf(copy.x)];
    const walk = (depth: number, from: number, to: number): void => {
      const loop = copy.loops[depth];
      if (loop === undefined) made[to] = source[from];
      else for (let i = 0; i < loop.size; i++) walk(depth + 1, from + i * loop.x, to + i * loop.y);
    };
    walk(0, copy.from, copy.to);
  }
  return made;
}
