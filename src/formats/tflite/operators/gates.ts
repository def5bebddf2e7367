// What LSTM operators of a file have of each gate, as arrays of all gates in the order i, f, g, o; and their states.
import type { LayerInfo, Value } from "../../../graph/value.js";
import { concat, stack } from "../../../ops/concat.js";
import { squeeze } from "../../../ops/shape.js";
import { stridedSlice } from "../../../ops/slice.js";
import { transpose } from "../../../ops/transpose.js";
import { show, sizeOf } from "../../../shape.js";
import type { TypedArray } from "../../../tensor.js";
import type { Operator } from "../importer.js";
import { fail } from "./rule.js";

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

export const range = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);

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

  /** Scales of weights, one for each gate. */
  scales(places: readonly number[]): number[] {
    return places.map((i) => {
      const { scale, zeroPoint } = this.o.of(i);
      return zeroPoint === 0 ? scale : fail(this.o, "weights with a zero point of 0", String(zeroPoint));
    });
  }

  /** Scales of int8 weights, for each row. */
  scale(name: string, places: readonly number[], rows: number): Value {
    const scales = this.scales(places);
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
