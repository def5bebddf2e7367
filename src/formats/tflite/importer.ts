// What the rules in operators/ are given: a file's tensors as Values, as numbers, and what their integers stand for.
import { FormatError } from "../../errors.js";
import type { Quantization } from "../../graph/attrs.js";
import type { LayerInfo, Value } from "../../graph/value.js";
import { constant, state } from "../../ops/leaf.js";
import { sizeOf } from "../../shape.js";
import { type DType, dtypeOf, type Tensor, type TypedArray } from "../../tensor.js";
import { Constants } from "./constants.js";
import type { TfliteGraph, TfliteOperator, TfliteTensor } from "./schema.js";
import type { Table } from "./table.js";
import { type Variable, Variables } from "./variables.js";

const ZEROS = { kind: "constant", value: 0 } as const;

/** Elements of all tables that rules make: indices of pixels, ranges. */
const TABLES = 2 ** 22;

/** Bytes that a file's constants may take, for each of its own: half floats and the scales of channels take more than they have. */
const GROWTH = 16;

/** uint8 with a scale, which is taken as int8: the same numbers, 128 less. */
export const isShifted = ({ type, scales }: TfliteTensor): boolean => type === "uint8" && scales.length === 1;

/** What holds the numbers of a tensor here: int64 are int32, half floats float32. */
export const heldAs = (tensor: TfliteTensor): DType => (isShifted(tensor) ? "int8" : dtypeOfType(tensor.type));

export class Importer {
  readonly #values = new Map<number, Value>();
  readonly #constants = new Constants();
  /** Numbers of the states that were made. */
  readonly weights = new Map<Value, Tensor>();
  #left: number;
  #tables = TABLES;

  readonly #handles = new Map<number, Variable>();

  /** @param isInitial whether the graph runs once, before the first run of the model's, to give variables what they begin with */
  constructor(
    readonly graph: TfliteGraph,
    bytes: number,
    readonly variables = new Variables(),
    readonly isInitial = false,
  ) {
    this.#left = GROWTH * bytes + 65536;
  }

  tensor(index: number): TfliteTensor {
    const tensor = this.graph.tensors[index];
    if (tensor === undefined) throw new FormatError(`tflite: expected a tensor, got ${index}`);
    return tensor;
  }

  set(index: number, value: Value): void {
    this.#values.set(index, value);
  }

  /** A tensor of the file: what an operator made, an input, or a constant. */
  value(index: number): Value {
    const known = this.#values.get(index);
    if (known !== undefined) return known;
    const tensor = this.tensor(index);
    const [numbers, dtype] = [this.numbers(index), heldAs(tensor)];
    const data = isShifted(tensor) ? Int8Array.from(numbers, (v) => v - 128) : numbers;
    const value = constant({ data, shape: tensor.shape, dtype });
    this.set(index, value);
    return value;
  }

  /** From here on a tensor is a handle of that variable. */
  setHandle(index: number, variable: Variable): void {
    this.#handles.set(index, variable);
  }

  /** The variable that a tensor is: by a handle that an operator made, or by itself. */
  variable(index: number): Variable {
    const { name, isVariable } = this.tensor(index);
    const variable = this.#handles.get(index);
    if (variable) return variable;
    if (isVariable) return this.variables.named(`tensor ${index}`, `variable tensor "${name}"`);
    throw new FormatError(`tflite: expected tensor "${name}" to be a variable`);
  }

  /** Whether a tensor is in the file. */
  isConstant(index: number): boolean {
    return index >= 0 && this.tensor(index).data !== undefined;
  }

  /** The numbers of a constant: half floats as floats, int64 as int32. */
  numbers(index: number): TypedArray {
    const { type, name } = this.tensor(index);
    const copy = this.#copy(index);
    if (type === "float32") return new Float32Array(copy);
    if (type === "int32") return new Int32Array(copy);
    if (type === "int8") return new Int8Array(copy);
    if (type === "int16") return new Int16Array(copy);
    if (type === "uint8" || type === "bool") return new Uint8Array(copy);
    if (type === "float16") return Float32Array.from(new Uint16Array(copy), halfToFloat);
    if (type === "int64") return Int32Array.from(new BigInt64Array(copy), (v) => narrow(v, name));
    throw new FormatError(`tflite: tensor "${name}": expected numbers, got ${type}`);
  }

  /** The numbers of a constant of int64, such as biases of sums of 64 bits. */
  longs(index: number): bigint[] {
    const { type, name } = this.tensor(index);
    if (type !== "int64") throw new FormatError(`tflite: expected tensor "${name}" to be int64, got ${type}`);
    return [...new BigInt64Array(this.#copy(index))];
  }

  /** The bytes of a constant. */
  #copy(index: number): ArrayBuffer {
    const { data, name, shape } = this.tensor(index);
    if (data === undefined) {
      if (sizeOf(shape) === 0) return new ArrayBuffer(0);
      throw new FormatError(`tflite: expected tensor "${name}" to be constant, or to be made before it is used`);
    }
    this.#left -= 4 * sizeOf(shape);
    if (this.#left < 0)
      throw new FormatError("tflite: expected constants of about the file's size; its buffers are used too often");
    return new Uint8Array(data).buffer; // not slice, which is a view in a Buffer of Node
  }

  /** The numbers of integers that are constant, or made of nothing but constants, such as axes and shapes. */
  integers(index: number): number[] {
    const { type, name } = this.tensor(index);
    if (type !== "int32" && type !== "int64")
      throw new FormatError(`tflite: expected tensor "${name}" to be int32, got ${type}`);
    const made = this.#values.get(index);
    const known = made && this.#constants.of(made);
    if (made && !known)
      throw new FormatError(`tflite: expected tensor "${name}" to depend on constants alone, as shapes and axes must`);
    return Array.from(known ?? this.numbers(index));
  }

  /** @throws {FormatError} when tables of so many elements more are too many; before they are made */
  afford(elements: number): void {
    this.#tables -= elements;
    if (!(this.#tables >= 0)) throw new FormatError(`tflite: expected tables of at most ${TABLES} elements in all`);
  }

  /** What the integers of a tensor stand for; uint8 is taken 128 less. */
  quantization(index: number): Quantization {
    const { scales, zeroPoints, name, type } = this.tensor(index);
    if (scales.length !== 1)
      throw new FormatError(`tflite: tensor "${name}": expected one scale, got ${scales.length || "none"}`);
    return { scale: scales[0], zeroPoint: zeroPoints[0] - (type === "uint8" ? 128 : 0) };
  }

  /** A weight: numbers of a layer, which `weights()` has by its name. */
  weight(layer: LayerInfo, name: string, data: TypedArray, shape: readonly number[]): Value {
    const dtype = dtypeOf(data);
    const value = state(name, shape, ZEROS, dtype === "float32" && !name.endsWith("scale"), dtype);
    value.node.layer = layer;
    this.weights.set(value, { data, shape, dtype });
    return value;
  }
}

/** One operator, as its rule sees it. */
export class Operator {
  readonly #options: Table | undefined;

  constructor(
    readonly importer: Importer,
    readonly operator: TfliteOperator,
  ) {
    this.#options = operator.options;
  }

  get name(): string {
    return this.operator.name;
  }

  get count(): number {
    return this.operator.inputs.length;
  }

  /** Position of the tensor that is input i; -1 where it is left out. */
  at(i: number): number {
    return this.operator.inputs[i] ?? -1;
  }

  has(i: number): boolean {
    return this.at(i) >= 0;
  }

  input(i: number): Value {
    if (!this.has(i)) throw new FormatError(`tflite: ${this.name}: expected input ${i}, got ${this.count} inputs`);
    return this.importer.value(this.at(i));
  }

  tensor(i: number): TfliteTensor {
    return this.importer.tensor(this.at(i));
  }

  output(i = 0): TfliteTensor {
    return this.importer.tensor(this.operator.outputs[i] ?? -1);
  }

  /** The variable that input i is. */
  variable(i: number): Variable {
    return this.importer.variable(this.at(i));
  }

  /** What integers of input i stand for. */
  of(i: number): Quantization {
    return this.importer.quantization(this.at(i));
  }

  /** What the integers of the result stand for. */
  get quantization(): Quantization {
    return this.importer.quantization(this.operator.outputs[0] ?? -1);
  }

  get isQuantized(): boolean {
    return isQuantized(this.output());
  }

  isQuantizedInput(i: number): boolean {
    return isQuantized(this.tensor(i));
  }

  byte(field: number, missing = 0): number {
    return this.#options?.byte(field, missing) ?? missing;
  }

  int(field: number, missing = 0): number {
    return this.#options?.int(field, missing) ?? missing;
  }

  float(field: number): number {
    return this.#options?.float(field) ?? 0;
  }

  text(field: number): string {
    return this.#options?.text(field) ?? "";
  }

  ints(field: number): number[] {
    return this.#options?.ints(field) ?? [];
  }
}

/** The dtype of a tensor's numbers here. */
export function dtypeOfType(type: TfliteTensor["type"]): DType {
  if (type === "int8" || type === "bool" || type === "uint8" || type === "int16") return type;
  return type.startsWith("int") ? "int32" : "float32";
}
const isQuantized = ({ type, scales }: TfliteTensor): boolean =>
  (type === "int8" || type === "uint8") && scales.length > 0;

function narrow(value: bigint, name: string): number {
  const number = Number(value);
  if (number === (number | 0)) return number;
  throw new FormatError(`tflite: tensor "${name}": expected integers of 32 bits, got ${value}`);
}

function halfToFloat(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  // Units of 2^-24, as many as fit 41 bits.
  const units = exponent === 0 ? fraction : (1024 + fraction) * (1 << (exponent - 1));
  return sign * units * 2 ** -24;
}
