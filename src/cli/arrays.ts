// Numbers for a model's inputs out of .npy, CSV and JSON, and results as JSON.
import { csv, type NumberColumn } from "../data/index.js";
import { type NestedArray, ShapeError, type Tensor, type TensorSpec, tensor } from "../index.js";
import { quantizeData } from "../ops/quantized/index.js";
import { readBytes } from "./files.js";
import { isNpy, type Numbers, readNpy } from "./npy.js";
import { UsageError } from "./usage.js";

/** What a file gives: one array, or arrays by name. */
export type Given = Numbers | Readonly<Record<string, Numbers>>;

const isNumbers = (given: Given): given is Numbers => Array.isArray((given as Numbers).shape);

/**
 * A file of numbers, told by its content: .npy, JSON (a list, or lists by name), else CSV with numbers in all columns.
 * @param path "-" is standard input
 */
export async function readNumbers(path: string): Promise<Given> {
  const bytes = await readBytes(path);
  const what = path === "-" ? "standard input" : path;
  if (isNpy(bytes)) return readNpy(bytes, what);
  const first = new TextDecoder().decode(bytes.subarray(0, 64)).trimStart()[0];
  if (first === "[" || first === "{") return fromJson(new TextDecoder().decode(bytes), what);
  return fromCsv(bytes, what);
}

function fromJson(text: string, what: string): Given {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${what}: expected .npy, JSON or CSV: ${(error as Error).message}`);
  }
  if (Array.isArray(value)) return fromLists(value, what);
  const entries = Object.entries(value as object);
  return Object.fromEntries(entries.map(([name, list]) => [name, fromLists(list, `${what}: "${name}"`)]));
}

/** Nested lists, all of one shape. */
function fromLists(list: unknown, what: string): Numbers {
  const shape: number[] = [];
  for (let inner = list; Array.isArray(inner); inner = inner[0]) shape.push(inner.length);
  const data: number[] = [];
  const walk = (part: unknown, depth: number): void => {
    if (depth < shape.length) {
      if (!Array.isArray(part) || part.length !== shape[depth])
        throw new UsageError(`${what}: expected lists of one shape, [${shape.join(", ")}] by the first ones`);
      for (const each of part) walk(each, depth + 1);
      return;
    }
    if (typeof part !== "number" && typeof part !== "boolean")
      throw new UsageError(`${what}: expected numbers, got ${JSON.stringify(part)?.slice(0, 40)}`);
    data.push(Number(part));
  };
  if (shape.length === 0) throw new UsageError(`${what}: expected a list of numbers`);
  walk(list, 0);
  return { data, shape };
}

function fromCsv(bytes: Uint8Array, what: string): Numbers {
  const { names, rows, columns } = csv(bytes);
  const wrong = names.find((name) => columns[name].type !== "number");
  if (wrong !== undefined) throw new UsageError(`${what}: expected numbers, column "${wrong}" has others`);
  const data = new Float64Array(rows * names.length);
  names.forEach((name, j) => {
    const { values: column } = columns[name] as NumberColumn;
    for (let i = 0; i < rows; i++) data[i * names.length + j] = column[i];
  });
  return { data, shape: [rows, names.length] };
}

/**
 * One tensor for each input, by name where names are given.
 * @param raw whether numbers for quantized inputs are the integers themselves
 * @throws {UsageError} for names that are no inputs, {ShapeError} for numbers that do not fit
 */
export function feedsOf(given: Given, specs: readonly TensorSpec[], raw: boolean): Tensor[] {
  const names = specs.map(({ name }) => `"${name}"`).join(", ");
  if (isNumbers(given)) {
    if (specs.length > 1) throw new UsageError(`expected lists by name for the inputs ${names}, got one array`);
    return [tensorOf(given, specs[0], raw)];
  }
  const stray = Object.keys(given).find((name) => specs.every((spec) => spec.name !== name));
  const missing = specs.find(({ name }) => !Object.hasOwn(given, name));
  if (stray !== undefined || missing !== undefined)
    throw new UsageError(`expected the inputs ${names}, got ${Object.keys(given).map((name) => `"${name}"`)}`);
  return specs.map((spec) => tensorOf(given[spec.name], spec, raw));
}

/** [samples, ...shape]; a sample may also be a flat row, and one sample may come without the batch's axis. */
function tensorOf({ data, shape }: Numbers, spec: TensorSpec, raw: boolean): Tensor {
  const each = spec.shape.reduce((n, size) => n * size, 1);
  const alone = String(shape) === String(spec.shape);
  const fits =
    spec.batched !== false &&
    (String(shape.slice(1)) === String(spec.shape) || (shape.length === 2 && shape[1] === each));
  if (!alone && !fits) {
    const wanted = `[samples, ${spec.shape.join(", ")}]`.replace(", ]", "]");
    throw new ShapeError({ op: "input", layer: spec.name, expected: wanted, actual: `[${shape.join(", ")}]` });
  }
  const { quantization } = spec;
  const whole = spec.batched === false ? spec.shape : [alone ? 1 : shape[0], ...spec.shape];
  if (quantization && !raw) return tensor(quantizeData(data, { dtype: spec.dtype, quantization }), whole, spec.dtype);
  return tensor([Array.from(data)] as NestedArray, whole, spec.dtype);
}

/** A result for JSON: nested lists; integers of quantized outputs as what they stand for, unless `raw`. */
export function toLists({ data, shape, dtype }: Tensor, spec: TensorSpec, raw: boolean): unknown {
  const { quantization } = spec;
  let at = 0;
  const next = (): unknown => {
    const x = data[at++];
    if (dtype === "bool") return Boolean(x);
    if (quantization && !raw) return Math.fround((x - quantization.zeroPoint) * quantization.scale);
    return x;
  };
  const walk = (depth: number): unknown =>
    depth === shape.length ? next() : Array.from({ length: shape[depth] }, () => walk(depth + 1));
  return walk(0);
}
