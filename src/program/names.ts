// Names for layers, weights and inputs: the user's own, or the kind with a number, in the order in which a graph uses them.
import { typeError } from "../errors.js";
import type { Graph, LayerInfo, Value } from "../graph/value.js";
import { roots, topological } from "../graph/walk.js";
import { stateOp } from "../ops/leaf.js";

export interface Names {
  readonly layers: ReadonlyMap<LayerInfo, string>;
  /** Every state of the graph under its full name, `<layer>/<weight>`, in the order of layers. */
  readonly states: ReadonlyMap<string, Value>;
  readonly inputs: readonly string[];
}

/** Gives out names once each. @throws {TypeError} when the user gave two things one name */
function register(what: string) {
  const taken = new Set<string>();
  return (kind: string, given: string | undefined): string => {
    if (given !== undefined) {
      if (taken.has(given))
        throw typeError({ op: "build", expected: `one ${what} of each name`, actual: `two named "${given}"` });
      taken.add(given);
      return given;
    }
    let name = kind;
    for (let i = 1; taken.has(name); i++) name = `${kind}_${i}`;
    taken.add(name);
    return name;
  };
}

export function nameAll(graph: Graph): Names {
  const nodes = topological([...graph.inputs, ...roots(graph)]);
  const found = [...new Set(nodes.flatMap((node) => (node.layer && node.op !== stateOp ? [node.layer] : [])))];
  const layers = new Map<LayerInfo, string>();
  const layerName = register("layer");
  // The user's names first: a numbered one must not take them.
  for (const info of found) if (info.name !== undefined) layers.set(info, layerName(info.kind, info.name));
  for (const info of found) if (info.name === undefined) layers.set(info, layerName(info.kind, undefined));

  const stateName = register("weight");
  const states = new Map<string, Value>();
  for (const node of nodes) {
    if (node.op !== stateOp) continue;
    const own = String(node.attrs.name);
    const name = node.layer && `${layers.get(node.layer) ?? node.layer.name ?? node.layer.kind}/${own}`;
    states.set(stateName(own, name), node.outputs[0]);
  }
  const inputName = register("input");
  const given = graph.inputs.map((value) => value.node.attrs.name as string | undefined);
  for (const name of given) if (name !== undefined) inputName("input", name);
  return { layers, states, inputs: given.map((name) => name ?? inputName("input", undefined)) };
}
