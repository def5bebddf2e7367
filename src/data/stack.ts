// Between tensors and elements: a row of a tensor as an element, and elements stacked into tensors with a first axis of their own.
import { ShapeError, typeError } from "../errors.js";
import { sameShape, show, sizeOf } from "../shape.js";
import { arrayOf, dtypeOf, type NestedArray, type Tensor, type TypedArray, tensor } from "../tensor.js";

/** What `batch` makes of elements: tensors in the places of numbers, arrays of numbers and tensors; the structure around them stays. */
export type Stacked<T> = T extends number | boolean | TypedArray | Tensor
  ? Tensor
  : T extends readonly (infer E)[]
    ? [E] extends [NestedArray]
      ? Tensor
      : { [K in keyof T]: Stacked<T[K]> }
    : T extends object
      ? { [K in keyof T]: Stacked<T[K]> }
      : never;

export const isTensor = (x: unknown): x is Tensor =>
  typeof x === "object" && x !== null && ArrayBuffer.isView((x as Tensor).data) && Array.isArray((x as Tensor).shape);

/** Row `index` of a tensor, without its first axis; the memory is the tensor's own. */
export function row({ data, shape, dtype }: Tensor, index: number): Tensor {
  const size = sizeOf(shape.slice(1));
  return { data: data.subarray(index * size, (index + 1) * size), shape: shape.slice(1), dtype };
}

/**
 * Stacks elements of one structure.
 * @param elements at least one
 * @param start the number of the first one, for errors
 * @throws {ShapeError} or {TypeError} for the first element that differs in shape or type from those before
 */
export function stack<T>(elements: readonly T[], start: number): Stacked<T> {
  return stackAny(elements, start) as Stacked<T>;
}

function stackAny(elements: readonly unknown[], start: number): unknown {
  const [first] = elements;
  if (isNumeric(first)) return join(elements, start);
  if (typeof first !== "object" || first === null) throw notStackable(first, start);
  const keys = Object.keys(first);
  elements.forEach((element, i) => {
    if (typeof element !== "object" || element === null) throw notStackable(element, start + i);
    const own = Object.keys(element);
    if (own.length === keys.length && own.every((key) => Object.hasOwn(first, key))) return;
    const expected = `elements of the parts ${keys.join(", ")}, as in element ${start}`;
    throw typeError({ op: "batch", expected, actual: `${own.join(", ") || "none"} (element ${start + i})` });
  });
  const records = elements as readonly Record<string, unknown>[];
  const parts = keys.map((key) =>
    stackAny(
      records.map((element) => element[key]),
      start,
    ),
  );
  return Array.isArray(first) ? parts : Object.fromEntries(keys.map((key, i) => [key, parts[i]]));
}

/** Numbers, tensors, and arrays of numbers to any depth. */
export function isNumeric(x: unknown): x is number | boolean | TypedArray | Tensor | NestedArray {
  let leaf = x;
  while (Array.isArray(leaf)) leaf = leaf.length === 0 ? 0 : leaf[0];
  const alone = leaf === x;
  return (
    typeof leaf === "number" || typeof leaf === "boolean" || (alone && (ArrayBuffer.isView(leaf) || isTensor(leaf)))
  );
}

/** @param index of the element, for errors */
export function asTensor(element: unknown, index: number): Tensor {
  if (isTensor(element)) return element;
  if (!isNumeric(element)) throw notStackable(element, index);
  if (ArrayBuffer.isView(element)) return { data: element, shape: [element.length], dtype: dtypeOf(element, "batch") };
  return tensor(element as NestedArray);
}

function join(elements: readonly unknown[], start: number): Tensor {
  const first = asTensor(elements[0], start);
  const size = sizeOf(first.shape);
  const data = new (arrayOf(first.dtype))(elements.length * size);
  elements.forEach((element, i) => {
    const part = i === 0 ? first : asTensor(element, start + i);
    const actual = (what: string) => `${what} (element ${start + i})`;
    if (!sameShape(part.shape, first.shape)) {
      const expected = `elements of one shape, ${show(first.shape)} as in element ${start}`;
      throw new ShapeError({ op: "batch", expected, actual: actual(show(part.shape)) });
    }
    if (part.dtype !== first.dtype) {
      const expected = `elements of one dtype, ${first.dtype} as in element ${start}`;
      throw typeError({ op: "batch", expected, actual: actual(part.dtype) });
    }
    data.set(part.data, i * size);
  });
  return { data, shape: [elements.length, ...first.shape], dtype: first.dtype };
}

const notStackable = (element: unknown, index: number) =>
  typeError({
    op: "batch",
    expected: "numbers, typed arrays, tensors, or arrays and plain objects of them, alike in all elements",
    actual: `${element === null ? "null" : typeof element} (element ${index})`,
  });
