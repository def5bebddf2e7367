// A model as Keras prints it: layers, output shapes, parameters.
import type { LayerInfo, Value } from "../graph/value.js";
import { topological } from "../graph/walk.js";
import { inputOp, stateAttrs, stateOp } from "../ops/leaf.js";
import { sizeOf } from "../shape.js";
import type { Model } from "./model.js";

interface Row {
  readonly layer: string;
  readonly kind: string;
  readonly shape: string;
  readonly parameters: number;
}

const batched = (value: Value): string =>
  `(None${value.shape
    .slice(1)
    .map((d) => `, ${d}`)
    .join("")})`;

/** One row per input and layer, in the order in which they run. */
function rows({ graph, names }: Model): Row[] {
  const last = new Map<LayerInfo, Value>();
  const parameters = new Map<LayerInfo, Set<Value>>();
  const nodes = topological(graph.outputs);
  for (const node of nodes) {
    if (node.layer === undefined || node.op === stateOp) continue;
    last.set(node.layer, node.outputs[0]);
    const own = parameters.get(node.layer) ?? new Set();
    for (const value of node.inputs) if (value.node.op === stateOp && value.node.layer === node.layer) own.add(value);
    parameters.set(node.layer, own);
  }
  // Of a layer with several results the one that is used first.
  const used = nodes.flatMap((node) => node.inputs.filter((value) => value.node.layer !== node.layer));
  for (const value of [...used, ...graph.outputs].reverse()) {
    const { layer, op } = value.node;
    if (layer && op !== stateOp) last.set(layer, value);
  }
  const inputs = graph.inputs.map((value, i) => ({
    layer: names.inputs[i],
    kind: inputOp.name,
    shape: batched(value),
    parameters: 0,
  }));
  const layers = [...last].map(([info, value]) => ({
    layer: names.layers.get(info) ?? info.kind,
    kind: info.kind,
    shape: batched(value),
    parameters: [...(parameters.get(info) ?? [])].reduce((sum, weight) => sum + sizeOf(weight.shape), 0),
  }));
  return [...inputs, ...layers];
}

export function summary(model: Model): string {
  const head = ["Layer (type)", "Output shape", "Param #"];
  const body = rows(model).map((row) => [
    `${row.layer} (${row.kind})`,
    row.shape,
    row.parameters.toLocaleString("en-US"),
  ]);
  const widths = head.map((title, i) => Math.max(title.length, ...body.map((cells) => cells[i].length)));
  const line = (cells: readonly string[]) =>
    `${cells[0].padEnd(widths[0])}  ${cells[1].padEnd(widths[1])}  ${cells[2].padStart(widths[2])}`;
  const count = (trainable: boolean) =>
    [...model.names.states.values()]
      .filter((value) => stateAttrs(value).trainable === trainable)
      .reduce((sum, value) => sum + sizeOf(value.shape), 0);
  const [yes, no] = [count(true), count(false)];
  const total = (what: string, n: number) =>
    `${what}: ${n.toLocaleString("en-US")} (${((n * 4) / 1024).toFixed(2)} KB)`;
  const rule = "-".repeat(widths[0] + widths[1] + widths[2] + 4);
  return [
    `Model: "${model.name}"`,
    rule,
    line(head),
    rule,
    ...body.map(line),
    rule,
    total("Total params", yes + no),
    total("Trainable params", yes),
    total("Non-trainable params", no),
  ].join("\n");
}
