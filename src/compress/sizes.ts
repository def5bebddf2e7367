// How large a model is: numbers that are learnt, work, bytes of its file, memory.
import { save } from "../formats/native.js";
import type { Value } from "../graph/value.js";
import { roots, topological } from "../graph/walk.js";
import { isState, stateAttrs } from "../ops/leaf.js";
import type { Model } from "../program/model.js";
import { sizeOf } from "../shape.js";

export interface Sizes {
  /** Numbers that are learnt, moving statistics among them; not the scales of int8. */
  readonly parameters: number;
  /** Of these the ones that are not 0. */
  readonly nonZero: number;
  /** Multiplications that are added up, for one sample. */
  readonly macs: number;
  readonly fileBytes: number;
  /** null where the runtime has no `CompressionStream`. */
  readonly gzipBytes: number | null;
  /** Planned for one sample: weights, what is packed of them, and workspace. */
  readonly memoryBytes: number;
}

/** Kernels whose work is products that are added up. */
const PRODUCTS = /gemm|conv|dense|attention|lstm|gru|rnn|svdf/;

export async function sizesOf(model: Model): Promise<Sizes> {
  const learnt = [...model.names.states.values()].filter(
    (value) => !stateAttrs(value).carried && !isScale(model, value),
  );
  const { calls, bytes } = model.plan(1);
  const work = calls.filter(({ once, kernel }) => !once && PRODUCTS.test(kernel)).map(({ flops }) => flops / 2);
  const file = save(model);
  const numbers = learnt.map((value) => Array.from<number>(model.store.view(value)));
  return {
    parameters: learnt.reduce((n, { shape }) => n + sizeOf(shape), 0),
    nonZero: numbers.reduce((n, list) => n + list.filter((v) => v !== 0).length, 0),
    macs: work.reduce((a, b) => a + b, 0),
    fileBytes: file.length,
    gzipBytes: await gzippedBytes(file),
    memoryBytes: bytes.weights + bytes.kept + bytes.workspace,
  };
}

/** A float32 state that says what an int8 one beside it stands for. */
function isScale({ graph }: Model, value: Value): boolean {
  if (value.dtype !== "float32" || !/scales?$/.test(stateAttrs(value).name)) return false;
  const readers = topological(roots(graph)).filter(({ inputs }) => inputs.includes(value));
  return readers.some(({ inputs }) => inputs.some((other) => isState(other) && other.dtype === "int8"));
}

async function gzippedBytes(file: Uint8Array): Promise<number | null> {
  if (typeof CompressionStream === "undefined") return null;
  const zipped = new Blob([file as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new CompressionStream("gzip"));
  return (await new Response(zipped).arrayBuffer()).byteLength;
}
