// Models whose weights have masks: what a mask leaves out is 0, and no product or gradient knows it.
import { make, type Node, type Value } from "../graph/value.js";
import { remake, rewrite, topological } from "../graph/walk.js";
import { constant, stateOp } from "../ops/leaf.js";
import { sparseOps } from "../ops/sparse.js";
import { Model } from "../program/model.js";

/** The masks of a pruned model, by the names of their weights: 1 for each that is kept. */
export function masksIn({ graph, names }: Model): Map<string, Uint8Array> {
  const weights = new Map([...names.states].map(([name, value]) => [value, name]));
  return new Map(
    topological(graph.outputs).flatMap(({ op, inputs: [value, mask] }): [string, Uint8Array][] => {
      const name = op === sparseOps.sparse ? weights.get(value) : undefined;
      return name !== undefined && mask.node.data ? [[name, mask.node.data.data as Uint8Array]] : [];
    }),
  );
}

/** A model with the same layers, and a mask for each of some weights. @param maskOf the mask of a state; without one the state stays as it is */
export function masked(model: Model, maskOf: (name: string, value: Value) => Value | undefined): Model {
  const masks = new Map(
    [...model.names.states].flatMap(([name, value]): [Value, Value][] => {
      const mask = maskOf(name, value);
      return mask ? [[value, mask]] : [];
    }),
  );
  const before = topological(model.graph.outputs).filter(({ op }) => op === sparseOps.sparse);
  const wrapped = new Set(before.map(({ inputs: [value] }) => value));
  const made = new Set<Node>();
  const sparse = (value: Value): readonly Value[] => {
    const node = make(sparseOps.sparse, [value, masks.get(value) as Value]);
    made.add(node);
    return node.outputs;
  };
  const graph = rewrite(model.graph, (node, inputs) => {
    const leaf = node.op === stateOp;
    const [value] = leaf ? node.outputs : node.op === sparseOps.sparse ? inputs : [];
    const takes = value !== undefined && masks.has(value) && leaf !== wrapped.has(value);
    return takes ? sparse(value) : remake(node, inputs);
  });
  // Files that name an op that a bundle lacks name its layer: this op is of none.
  for (const node of made) node.layer = undefined;
  return new Model(model.name, graph, model.variant);
}

/** The pruned model: weights that are left out are 0, and have their mask in the graph. */
export function withMasks(model: Model, masks: ReadonlyMap<string, Uint8Array>, weights = model.weights()): Model {
  const made = masked(model, (name, { shape }) => {
    const mask = masks.get(name);
    return mask?.includes(0) ? constant({ data: mask, shape, dtype: "bool" }) : undefined;
  });
  const own = [...made.names.states.keys()].map((name) => {
    const mask = masks.get(name);
    if (mask) zero(weights[name].data as Float32Array, mask);
    return [name, weights[name]];
  });
  made.setWeights(Object.fromEntries(own));
  return made;
}

/** Puts 0 where a mask leaves out. */
export function zero(data: Float32Array, mask: Uint8Array): void {
  for (let i = 0; i < data.length; i++) if (mask[i] === 0) data[i] = 0;
}
