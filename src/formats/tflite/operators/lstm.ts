// Recurrent operators of LSTM cells: what the file has of each gate becomes one array of all gates, in the order i, f, g, o.
import type { LayerInfo, Value } from "../../../graph/value.js";
import { add } from "../../../ops/arithmetic.js";
import { concat, stack } from "../../../ops/concat.js";
import { type LstmHow, lstmProjected } from "../../../ops/lstmp.js";
import { matmul } from "../../../ops/matmul.js";
import { hybridDense } from "../../../ops/rows.js";
import { reshape, squeeze } from "../../../ops/shape.js";
import { stridedSlice } from "../../../ops/slice.js";
import { transpose } from "../../../ops/transpose.js";
import { show, sizeOf } from "../../../shape.js";
import type { TypedArray } from "../../../tensor.js";
import type { Operator } from "../importer.js";
import { FLOAT, fail, type Rules } from "./rule.js";

/** Positions of an operator's inputs; those of gates are of i, f, g and o. */
export interface Places {
  readonly x: number;
  readonly w: number;
  readonly u: number;
  readonly peephole: number;
  readonly bias: number;
  readonly projection: number;
  readonly h: number;
  readonly c: number;
  readonly norm: number;
}

const FULL: Places = { x: 0, w: 1, u: 5, peephole: 9, bias: 12, projection: 16, h: 18, c: 19, norm: 20 };

/** Activations that the kernel has, by their number in the file. */
const ACTIVATIONS = { 0: "linear", 1: "relu", 4: "tanh" } as const;

export const activationOf = (o: Operator, code: number): LstmHow["activation"] =>
  ACTIVATIONS[code as keyof typeof ACTIVATIONS] ?? fail(o, "TANH, RELU or no activation", String(code));

const range = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);

/** An operator's weights as one: which gates there are, and what is put together of theirs. */
export class Gates {
  readonly isCoupled: boolean;
  readonly count: number;
  /** Cells, and states that go back into the gates. */
  readonly n: number;
  readonly m: number;
  readonly k: number;

  constructor(
    readonly o: Operator,
    readonly at: Places,
    readonly layer: LayerInfo,
  ) {
    this.isCoupled = !o.has(at.w);
    this.count = this.isCoupled ? 3 : 4;
    const [shape, of] = [at.w + 3, at.u + 3].map((i) => this.#shape(i, 2));
    [this.n, this.k] = shape;
    this.m = of[1];
    if (of[0] !== this.n || this.n * this.m * this.k === 0) fail(o, `recurrent weights [${this.n}, units]`, show(of));
  }

  #shape(i: number, rank: number): readonly number[] {
    const { shape } = this.o.has(i) ? this.o.tensor(i) : fail(this.o, `input ${i}`, "none");
    return shape.length === rank ? shape : fail(this.o, `input ${i} to be of rank ${rank}`, show(shape));
  }

  /** Of the gates that there are. */
  places(first: number): number[] {
    return range(first, 4).slice(4 - this.count);
  }

  get isInt8(): boolean {
    return this.o.tensor(this.at.w + 3).type === "int8";
  }

  /** Constants one behind the other. @throws {FormatError} unless each has that shape */
  joined(places: readonly number[], ...shape: number[]): TypedArray {
    const parts = places.map((i) => {
      if (this.#shape(i, shape.length).join() !== shape.join()) fail(this.o, show(shape), show(this.o.tensor(i).shape));
      return this.o.importer.numbers(this.o.at(i));
    });
    const all = new (parts[0].constructor as Float32ArrayConstructor)(parts.length * sizeOf(shape)) as TypedArray;
    if (parts.some((part) => part.constructor !== all.constructor)) fail(this.o, "gates of one type", "several");
    parts.forEach((part, i) => void all.set(part, i * sizeOf(shape)));
    return all;
  }

  weight(name: string, data: TypedArray, shape: readonly number[]): Value {
    return this.o.importer.weight(this.layer, name, data, shape);
  }

  /** Scales of int8 weights, for each row. */
  scale(name: string, places: readonly number[], rows: number): Value {
    const scales = places.map((i) => {
      const { scale, zeroPoint } = this.o.of(i);
      return zeroPoint === 0 ? scale : fail(this.o, "weights with a zero point of 0", String(zeroPoint));
    });
    const data = Float32Array.from({ length: places.length * rows }, (_, j) => scales[Math.floor(j / rows)]);
    return this.weight(name, data, [data.length]);
  }

  /** float32 [columns, all rows] of matrices [rows, columns] of gates; what an operator made stays as it is. */
  float(name: string, places: readonly number[], rows: number, columns: number): Value {
    if (!places.every((i) => this.o.importer.isConstant(this.o.at(i))))
      return concat(places.map((i) => transpose(this.o.input(i), [1, 0])), 1); // biome-ignore format: short
    const [data, all] = [this.joined(places, rows, columns), rows * places.length];
    const turned = Float32Array.from(data, (_, j) => data[(j % all) * columns + Math.floor(j / all)]);
    return this.weight(name, turned, [columns, all]);
  }

  /** Rows of one gate after the other [gates, n] of what cells have one number of, if there are any. */
  vectors(name: string, places: readonly number[]): Value | undefined {
    if (!places.some((i) => this.o.has(i))) return undefined;
    const isFloat = (i: number) => this.o.has(i) && this.o.tensor(i).type === "float32";
    const shape = [places.length, this.n];
    if (places.every((i) => isFloat(i) && this.o.importer.isConstant(this.o.at(i))))
      return this.weight(name, this.joined(places, this.n), shape);
    if (places.every((i) => this.o.has(i) && this.o.tensor(i).type === "int8")) {
      const [whole, scales] = [this.joined(places, this.n), places.map((i) => this.o.of(i).scale)];
      const data = Float32Array.from(whole, (v, j) => v * scales[Math.floor(j / this.n)]);
      return this.weight(name, data, shape);
    }
    return stack(places.map((i) => this.o.input(i)));
  }
}

/** The states before a sequence, and what they are after it. */
export function statesOf(gates: Gates): { h0: Value; c0: Value; next: (h: Value, c: Value) => void } {
  const { o, at, layer, n, m } = gates;
  const kept = (i: number, name: string, units: number) => {
    const { shape, scales, type } = o.tensor(i);
    const rows = sizeOf(shape) / units;
    if (!Number.isInteger(rows) || rows === 0) fail(o, `states [batch, ${units}]`, show(shape));
    const dtype = type === "int8" || type === "int16" ? type : "float32";
    const zero = scales.length === 1 ? o.of(i).zeroPoint : 0;
    return { name, layer, shape: [rows, units], dtype, zero } as const;
  };
  const [h, c] = [kept(at.h, "state_h", m), kept(at.c, "state_c", n)];
  if (o.at(at.h) === o.at(at.c)) fail(o, "a state and cells", "one tensor for both");
  return {
    h0: o.variable(at.h).read(h),
    c0: o.variable(at.c).read(c),
    next(lastH, lastC) {
      o.variable(at.h).assign(lastH, h);
      o.variable(at.c).assign(lastC, c);
    },
  };
}

/** The last step of a sequence. */
export const last = (y: Value): Value => squeeze(stridedSlice(y, [null, -1], []), 1);

/** Float32, with weights in float32 or int8: y [batch, steps, m] of x [batch, steps, k] by what is said of z. */
function float(gates: Gates, x: Value, shape: readonly number[], how: LstmHow): Value {
  const { o, at, n, m, k, count } = gates;
  const [w, u] = [gates.places(at.w), gates.places(at.u)];
  const norm = gates.vectors("gamma", gates.places(at.norm));
  const bias = gates.vectors("bias", gates.places(at.bias));
  const flat = bias && reshape(bias, [count * n]);
  const rows = reshape(x, [-1, k]);
  const own = (value: Value): Value => {
    value.node.layer ??= gates.layer;
    return value;
  };
  const int8 = (name: string, places: readonly number[], of: number, columns: number) => {
    const kernel = gates.weight(name, gates.joined(places, of, columns), [places.length * of, columns]);
    return [kernel, gates.scale(`${name}_scale`, places, of)] as const;
  };
  const peephole = gates.vectors("peephole", gates.isCoupled ? range(at.peephole + 1, 2) : range(at.peephole, 3));
  const { isAsymmetric } = how;
  const added = norm ? undefined : flat;
  const z = () => {
    if (gates.isInt8) {
      const [kernel, scale] = int8("kernel", w, n, k);
      return own(hybridDense(rows, kernel, scale, { bias: added, isAsymmetric }));
    }
    const product = own(matmul(rows, gates.float("kernel", w, n, k)));
    return added ? own(add(product, added)) : product;
  };
  const ofZ = own(reshape(z(), [...shape, count * n]));
  const recurrent = () => {
    if (!gates.isInt8) return { u: gates.float("recurrent_kernel", u, n, m) };
    const [kernel, uScale] = int8("recurrent_kernel", u, n, m);
    return { u: kernel, uScale };
  };
  const projected = () => {
    const p = at.projection;
    if (!o.has(p)) return {};
    const projectionBias = o.has(p + 1) ? gates.weight("projection_bias", gates.joined([p + 1], m), [m]) : undefined;
    if (!gates.isInt8) return { projection: gates.float("projection", [p], m, n), projectionBias };
    const [projection, projectionScale] = int8("projection", [p], m, n);
    return { projection, projectionScale, projectionBias };
  };
  const { h0, c0, next } = statesOf(gates);
  const parts = { z: ofZ, ...recurrent(), h0, c0, peephole, norm, bias: norm && bias, ...projected() };
  const { y, c } = lstmProjected(parts, how);
  own(y);
  next(last(y), c);
  return y;
}

interface Sequence {
  readonly activation: number;
  readonly clip: number;
  readonly projectionClip: number;
  readonly isAsymmetric: boolean;
  /** The axes of input and result are steps, batch, features. */
  readonly isTimeMajor: boolean;
}

export function sequence(o: Operator, at: Places, x: Value, of: Sequence, layer: LayerInfo): Value {
  if (x.shape.length !== 3) fail(o, "sequences [batch, steps, features]", show(x.shape));
  const gates = new Gates(o, at, layer);
  if (x.shape[2] !== gates.k) fail(o, `${gates.k} features`, show(x.shape));
  const how = {
    activation: activationOf(o, of.activation),
    clip: Math.max(of.clip, 0),
    projectionClip: Math.max(of.projectionClip, 0),
    isCoupled: gates.isCoupled,
    isAsymmetric: of.isAsymmetric,
  };
  const turned = of.isTimeMajor ? transpose(x, [1, 0, 2]) : x;
  // Attributes never hold the model's batch, which of time-major sequences is how many steps there are.
  const shape = of.isTimeMajor ? [x.shape[1], -1] : [-1, x.shape[1]];
  const y = float(gates, turned, shape, how);
  return of.isTimeMajor ? transpose(y, [1, 0, 2]) : y;
}

const optionsOf = (o: Operator): Sequence => ({
  activation: o.byte(0),
  clip: o.float(1),
  projectionClip: o.float(2),
  isTimeMajor: o.byte(3) !== 0,
  isAsymmetric: o.byte(4) !== 0,
});

export const lstmRules: Rules = {
  UNIDIRECTIONAL_SEQUENCE_LSTM: {
    types: [FLOAT],
    build(o) {
      if (o.byte(5) !== 0) fail(o, "recurrent weights that are matrices", "diagonal ones");
      return sequence(o, FULL, o.input(0), optionsOf(o), { kind: "lstm" });
    },
  },
};
