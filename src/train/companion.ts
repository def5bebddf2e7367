// What a training program may hold beside the model and its losses: distillation's teacher.
import type { Graph, Value } from "../graph/value.js";

export interface Companion {
  /** What the losses of the model's outputs count; penalties count in full. */
  readonly share: number;
  /** Weights that are trained along, by names that the model's do not have; like `fixed` in the model's memory while it is trained. */
  readonly trained: ReadonlyMap<string, Value>;
  /** Weights that stay what they are. */
  readonly fixed: readonly Value[];
  /** Terms of the loss, one number each, made of the model's graph for a batch as it was defined. */
  terms(graph: Graph): readonly Value[];
}
