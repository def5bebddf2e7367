// Numbers of weights, those numbers as int8, and their names.
import type { LayerInfo, Node, Value } from "../graph/value.js";
import { isState } from "../ops/leaf.js";
import { toEven } from "../ops/quantized/rounding.js";
import type { Model } from "../program/model.js";
import { Program } from "../program/program.js";
import { type Product, type Run, rootOf } from "./runs.js";

/** The numbers of values that are made of weights alone. */
export function numbersOf(model: Model, values: readonly Value[]): Map<Value, Float32Array> {
  const wanted = [...new Set(values)];
  const program = new Program(model.store, { inputs: [], outputs: wanted, effects: [] });
  program.run();
  const { outputs } = program.layout.graph;
  const numbers = new Map(wanted.map((value, i) => [value, program.view(outputs[i]).slice() as Float32Array]));
  program.free();
  return numbers;
}

/** The products among runs. */
export const productsOf = (runs: readonly Run[]): Product[] => runs.flatMap(({ product }) => product ?? []);

/** The sum of several arrays of n numbers. */
export function summed(terms: readonly Float32Array[], n: number): Float64Array {
  const sum = new Float64Array(n);
  for (const term of terms) for (let i = 0; i < n; i++) sum[i] += term[i];
  return sum;
}

/** The largest of each of n channels, the last axis, without its sign. */
export function extremesOf(kernel: Float32Array, n: number): Float32Array {
  const largest = new Float32Array(n);
  for (let i = 0; i < kernel.length; i++) largest[i % n] = Math.max(largest[i % n], Math.abs(kernel[i]));
  return largest;
}

/**
 * int8 of each of n channels, the last axis, symmetric.
 * @param scales [n] where they are known; else the largest weight of each channel is 127
 * @param biases [n] as multiples of the input's scale: they are to fit 30 bits
 */
export function weightsOf(kernel: Float32Array, n: number, scales?: Float32Array, biases?: Float64Array) {
  const scale = scales?.slice() ?? extremesOf(kernel, n).map((largest) => largest / 127);
  for (let j = 0; j < n; j++) scale[j] = Math.max(scale[j], (biases?.[j] ?? 0) / 2 ** 30) || 1;
  const data = Int8Array.from(kernel, (w, i) => Math.min(Math.max(toEven(w / scale[i % n]), -127), 127));
  return { data, scale };
}

/** Biases at the scale of sums. */
export const biasOf = (bias: Float64Array, input: number, scale: Float32Array): Int32Array =>
  Int32Array.from(bias, (b, j) => Math.min(Math.max(toEven(b / (input * scale[j])), -(2 ** 31)), 2 ** 31 - 1));

/** Names of the states of a product. */
export interface Layered {
  readonly layer: LayerInfo;
  readonly kernel: string;
  readonly scale: string;
  readonly bias: string;
}

/**
 * Names for the weights of products: `kernel`, `scale` and `bias`; where a layer has several kernels their own names, such as
 * `query/kernel`; and where a kernel is used again, which takes a bias at another scale, `bias_1` and so on.
 */
export function layered(
  products: readonly Product[],
  infoOf: (node: Node) => LayerInfo | undefined,
): (product: Product) => Layered {
  const layerOf = ({ node, layer }: Product): LayerInfo => infoOf(node) ?? { kind: layer, name: layer };
  const kernels = new Map<LayerInfo, Set<Value>>();
  for (const product of products) {
    const layer = layerOf(product);
    kernels.set(layer, (kernels.get(layer) ?? new Set()).add(product.kernel));
  }
  const uses = new Map<Value, number>();
  const names = new Map<Product, Layered>();
  for (const product of products) {
    const layer = layerOf(product);
    const root = rootOf(product.kernel);
    const own = isState(root) ? String(root.node.attrs.name) : "kernel";
    const kernel = (kernels.get(layer) as Set<Value>).size === 1 ? "kernel" : own;
    const use = uses.get(product.kernel) ?? 0;
    uses.set(product.kernel, use + 1);
    const named = (name: string) => (/kernel$/.test(kernel) ? kernel.replace(/kernel$/, name) : `${kernel}_${name}`);
    names.set(product, { layer, kernel, scale: named("scale"), bias: named("bias") + (use > 0 ? `_${use}` : "") });
  }
  return (product) => names.get(product) as Layered;
}
