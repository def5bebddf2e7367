// A training run as a safetensors file: weights under their names, the optimizer's states as `<optimizer>/<weight>/<slot>`, and in the
// metadata what else a run needs to go on as if it had never stopped.
import { FormatError, rangeError, typeError } from "../errors.js";
import { readSafetensors, writeSafetensors } from "../formats/safetensors.js";
import type { Value } from "../graph/value.js";
import { sameShape, show } from "../shape.js";
import type { Tensor } from "../tensor.js";

const KEY = "lanewise.training";
const VERSION = 1;

/** Where a run is. */
export interface RunState {
  readonly optimizer: string;
  /** Steps done. */
  readonly steps: number;
  /** Epochs done. */
  readonly epochs: number;
  readonly seed: number;
  /** Set by hand or by a callback in place of the optimizer's own. */
  readonly learningRate?: number | undefined;
  /** How far the epoch after those is, in the middle of one. */
  readonly begun?: Begun | undefined;
}

/** Part of an epoch. */
export interface Begun {
  readonly steps: number;
  readonly samples: number;
  /** Of loss and metrics over these samples, by name. */
  readonly sums: Readonly<Record<string, number>>;
}

/** The file's bytes; the same state gives the same bytes. */
export const writeCheckpoint = (run: RunState, tensors: Record<string, Tensor>): Uint8Array =>
  writeSafetensors({ tensors, metadata: { [KEY]: JSON.stringify({ version: VERSION, ...run }) } });

/**
 * Checks a file against what a run needs.
 * @param states what the file must have, by name, no more and no less
 * @throws {FormatError} when it is no checkpoint or one of another model; {TypeError} when it is of another optimizer
 */
export function readCheckpoint(
  bytes: Uint8Array,
  optimizer: string,
  states: ReadonlyMap<string, Value>,
): { run: RunState; tensors: ReadonlyMap<string, Tensor> } {
  if (!(bytes instanceof Uint8Array))
    throw typeError({ op: "resume", expected: "the bytes of a checkpoint", actual: typeof bytes });
  const { tensors, metadata } = readSafetensors(bytes);
  const run = parseRun(Object.hasOwn(metadata, KEY) ? metadata[KEY] : undefined);
  if (run.optimizer !== optimizer)
    throw typeError({ op: "resume", expected: `a run of ${optimizer}`, actual: `one of ${run.optimizer}` });
  for (const [name, value] of states) {
    const tensor = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
    const got = tensor ? `${tensor.dtype} ${show(tensor.shape)}` : "none";
    if (!tensor || tensor.dtype !== value.dtype || !sameShape(tensor.shape, value.shape))
      throw new FormatError(`resume: tensor "${name}": expected ${value.dtype} ${show(value.shape)}, got ${got}`);
  }
  const stray = Object.keys(tensors).find((name) => !states.has(name));
  if (stray !== undefined) throw new FormatError(`resume: tensor "${stray}" belongs to nothing that is trained here`);
  return { run, tensors: new Map(Object.entries(tensors)) };
}

function parseRun(text: string | undefined): RunState {
  let given: Record<string, unknown> | null = null;
  try {
    given = text === undefined ? null : JSON.parse(text);
  } catch (cause) {
    throw new FormatError("resume: expected the state of the run to be JSON", { cause });
  }
  if (typeof given !== "object" || given === null)
    throw new FormatError(`resume: expected the state of a run in the metadata ("${KEY}")`);
  const { version, optimizer, steps, epochs, seed, learningRate, begun } = given;
  const isCount = (n: unknown): boolean => Number.isSafeInteger(n) && (n as number) >= 0;
  const counts = [steps, epochs, seed].every(isCount) && (begun === undefined || isBegun(begun));
  const rate = learningRate === undefined || (Number.isFinite(learningRate) && (learningRate as number) >= 0);
  if (version !== VERSION || typeof optimizer !== "string" || !counts || !rate)
    throw new FormatError(`resume: expected a run of version ${VERSION} with optimizer, steps, epochs and seed`);
  return given as unknown as RunState;

  function isBegun(value: unknown): boolean {
    const { steps, samples, sums } = (value ?? {}) as Record<string, unknown>;
    const numbers = typeof sums === "object" && sums !== null ? Object.values(sums) : [undefined];
    return [steps, samples].every(isCount) && numbers.every(Number.isFinite);
  }
}

/** Where an epoch begins: at its first step, or behind those that the run which is resumed did. */
export function beginning(begun: Begun | undefined, numbers: readonly { readonly name: string }[]) {
  const { steps = 0, samples = 0 } = begun ?? {};
  const sums = numbers.map(({ name }) => {
    if (begun === undefined) return 0;
    if (Object.hasOwn(begun.sums, name)) return begun.sums[name];
    const known = Object.keys(begun.sums).join(", ");
    throw typeError({ op: "resume", expected: `the loss and metrics of the run (${known})`, actual: name });
  });
  return { steps, samples, sums };
}

/** @throws {RangeError} when the steps that are skipped are not those that were done */
export function checkSkipped(samples: number, done: Pick<Begun, "steps" | "samples">): void {
  if (samples === done.samples) return;
  const expected = `the data and batchSize of the run, ${done.samples} samples in ${done.steps} steps`;
  throw rangeError({ op: "resume", expected, actual: String(samples) });
}
