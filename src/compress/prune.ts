// Pruning: weights of small magnitude are left out for good, at once or little by little while the model is fine-tuned.
import { checkKeys, rangeError, told, typeError, UnsupportedError } from "../errors.js";
import type { Value } from "../graph/value.js";
import { topological } from "../graph/walk.js";
import { convOps } from "../ops/conv2d.js";

import { matmulOps } from "../ops/matmul.js";
import { sparseOps } from "../ops/sparse.js";
import type { Model } from "../program/model.js";
import type { FitOptions } from "../train/fit.js";
import { checkModel } from "../train/objective.js";
import type { TrainingData } from "../train/source.js";
import { pruneChannels } from "./channels.js";
import { BLOCK, type Candidate, masksOf } from "./magnitude.js";
import { masksIn, withMasks } from "./masks.js";
import { fineTune } from "./prunetune.js";
import { checkSchedule, type PruneSchedule } from "./schedule.js";

export type PruneStructure = "unstructured" | "block" | "channel";

export interface PruneOptions {
  /**
   * Share of weights to leave out, in [0, 1]: of every layer, or by the names of layers or weights, `{ dense: 0.9, "conv2d/kernel": 0.5 }`,
   * which leaves the others as they are.
   */
  sparsity: number | Readonly<Record<string, number>>;
  /**
   * What goes together: `block` (default), four neighbouring outputs of one input, which the vectors of the sparse kernels hold, so that they
   * gain most; `unstructured`, every weight by itself; `channel`, whole units and filters: the graph gets smaller, and stays dense.
   */
  structure?: PruneStructure;
  /**
   * Whether weights of all layers are compared, so that small layers keep more of theirs (`global`, default for one number as sparsity of
   * weights or blocks), or every layer loses the same share (`layer`). Channels are compared as they are to the mean of their layer.
   */
  scope?: "layer" | "global";
  /** How sparsity grows while fine-tuning. */
  schedule?: PruneSchedule;
  /** Train while pruning: data, and the options of `fit`. Default: pruned at once, and not trained. */
  finetune?: FitOptions & { readonly data: TrainingData };
}

const op = "prune";

/**
 * A model without the weights that matter least: those of the smallest magnitude, of the kernels of dense and convolution layers. They are 0 in
 * `weights()`, stay 0 in any later training, and are left out of files. Products skip them, from the sparsity on at which that is faster:
 * with blocks some 60 % for dense layers and 1x1 convolutions, 85 % for 3x3 convolutions, which Winograd's method makes fast when dense;
 * without structure 70 % for batches and images, 85 % for a single sample. Their results have the same bits as the dense product's.
 *
 * With `finetune` the sparsity of the schedule (Zhu and Gupta 2017) is reached while the model trains on: no gradient reaches what is left out.
 *
 * With `channel` the filters and units of the smallest norm go, with what the layers after them had for them; sums tie their branches together,
 * depthwise convolutions and normalizations follow. Layers whose results are outputs, or go into an op that needs them all, stay as they are;
 * naming one of these is an error.
 *
 * The result is a model of its own, saved as any; it loads with `{ layers: [sparse] }` where a bundler leaves the op out.
 * @throws {RangeError} for a sparsity outside [0, 1], names that there are not, and weights that are not finite; {TypeError} for other options
 *   that cannot be; {UnsupportedError} where there is nothing to prune; and as `fit`. The model stays as it was, always.
 * @example
 * const model = await build(input([8]), sequential(dense(16, { activation: "relu" }), dense(2)));
 * const small = await prune(model, { sparsity: { dense: 0.75 } });
 * small.weights()["dense/kernel"].data.filter((w) => w === 0).length; // 96 of 128
 */
export async function prune(model: Model, options: PruneOptions): Promise<Model> {
  checkModel(model, op);
  checkKeys(op, options, ["sparsity", "structure", "scope", "schedule", "finetune"]);
  const { sparsity, structure = "block", schedule, finetune } = options;
  const { scope = typeof sparsity === "number" && structure !== "channel" ? "global" : "layer" } = options;
  oneOf("structure", structure, ["unstructured", "block", "channel"]);
  oneOf("scope", scope, ["layer", "global"]);
  if (schedule !== undefined) checkSchedule(op, schedule);
  if (schedule !== undefined && (finetune === undefined || structure === "channel"))
    throw typeError({ op, expected: "a schedule with finetune, of weights or blocks", actual: "one without" });
  if (scope === "global" && typeof sparsity !== "number")
    throw typeError({ op, expected: "one number as sparsity with scope global", actual: told(sparsity) });
  if (finetune !== undefined && (typeof finetune !== "object" || finetune === null || finetune.data === undefined))
    throw typeError({ op, expected: "finetune to be { data, ...options of fit }", actual: told(finetune) });
  const kernels = prunable(model);
  const shares = sharesOf(model, kernels, sparsity);
  if (structure === "channel")
    return pruneChannels(model, shares, { named: typeof sparsity !== "number", global: scope === "global" }, finetune);
  const how = { block: structure === "block" ? BLOCK : 1, global: scope === "global" };
  const before = masksIn(model);
  const candidates = (
    of: Model,
    final: (share: number) => number,
    kept: ReadonlyMap<string, Uint8Array>,
  ): Candidate[] =>
    [...shares].map(([name, share]) => ({
      name,
      tensor: of.store.read(kernels.get(name) as Value),
      sparsity: final(share),
      kept: kept.get(name),
    }));
  const plain = masksOf(
    candidates(model, (share) => share, before),
    how,
    op,
  ); // wrong weights are told before any training
  if (finetune === undefined) return withMasks(model, plain);
  const { data, ...rest } = finetune;
  const choose = (of: Model, share: (final: number) => number, kept: ReadonlyMap<string, Uint8Array>) =>
    masksOf(candidates(of, share, kept), how, op);
  return fineTune(model, { names: [...shares.keys()], before, choose, schedule: schedule ?? {} }, data, rest);
}

function oneOf(what: string, given: unknown, words: readonly string[]): void {
  if (words.includes(given as string)) return;
  throw typeError({
    op,
    expected: `${what} to be ${words.map((word) => `"${word}"`).join(" or ")}`,
    actual: told(given),
  });
}

/** Weights that products of dense and convolution layers multiply with, by name. */
function prunable(model: Model): Map<string, Value> {
  const names = new Map([...model.names.states].map(([name, value]) => [value, name]));
  const found = new Map<string, Value>();
  for (const { op: product, inputs } of topological(model.graph.outputs)) {
    if (product !== matmulOps.matmul && product !== convOps.conv2d) continue;
    const weights = source(inputs[1]);
    const name = names.get(weights);
    if (name !== undefined && weights.dtype === "float32") found.set(name, weights);
  }
  if (found.size === 0) throw new UnsupportedError("prune: the model has no dense or convolution layer of floats");
  return found;
}

/** The state that weights are, pruned already or seen in another shape. */
function source(value: Value): Value {
  const { op: made, inputs } = value.node;
  return made.view || made === sparseOps.sparse ? source(inputs[0]) : value;
}

/** What share of each weight goes, by its name. */
function sharesOf(
  model: Model,
  kernels: ReadonlyMap<string, Value>,
  sparsity: PruneOptions["sparsity"],
): Map<string, number> {
  const check = (share: unknown, layer?: string): number => {
    if (typeof share === "number" && share >= 0 && share <= 1) return share;
    throw rangeError({ op, layer, expected: "a sparsity in [0, 1]", actual: told(share) });
  };
  if (typeof sparsity !== "object" || sparsity === null) {
    const share = check(sparsity);
    return new Map([...kernels.keys()].map((name) => [name, share]));
  }
  const layerOf = ({ node }: Value) => node.layer && model.names.layers.get(node.layer);
  return new Map(
    Object.entries(sparsity).flatMap(([key, given]) => {
      const share = check(given, key);
      const own = [...kernels].filter(([name, value]) => name === key || layerOf(value) === key);
      if (own.length > 0) return own.map(([name]): [string, number] => [name, share]);
      const layers = new Set([...kernels.values()].map((value) => layerOf(value) ?? "?"));
      throw rangeError({ op, expected: `a layer of ${[...layers].join(", ")}`, actual: JSON.stringify(key) });
    }),
  );
}
