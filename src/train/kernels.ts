// The kernels of training: models get them from here, so that a bundle without lanewise/train has none.
import type { Graph } from "../graph/value.js";
import type { Model } from "../program/model.js";
import { Program } from "../program/program.js";
import { train } from "../runtime/families/train.js";
import { prepare } from "../runtime/variant.js";

/** Compiles them ahead, where there is time to wait. */
export const prepareTraining = (model: Model): Promise<void> => prepare(model.variant, [train]);

/** A program of a model that may have gradients, losses and updates in it. */
export function trainingProgram(model: Model, graph: Graph, last?: (graph: Graph) => Graph): Program {
  model.store.use(train);
  return new Program(model.store, graph, last ? { last } : {});
}
