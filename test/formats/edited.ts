// Model files whose header says something else.

export interface NodeJson {
  op: string;
  inputs: unknown[];
  attrs: Record<string, unknown>;
  layer?: unknown;
  tensor?: string;
  mask?: string;
  shape?: unknown;
}
export interface GraphJson {
  version: number;
  nodes: NodeJson[];
  outputs: unknown[];
}
export type Header = Record<string, { dtype: string; shape: number[]; data_offsets: number[] }>;

export const find = (graph: GraphJson, op: string): NodeJson => graph.nodes.find((node) => node.op === op) as NodeJson;

/** A file with another graph in it. */
export function edited(bytes: Uint8Array, edit: (graph: GraphJson, header: Header) => void): Uint8Array {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  const graph = JSON.parse(header.__metadata__.lanewise);
  for (const node of graph.nodes) node.attrs ??= {};
  edit(graph, header);
  header.__metadata__.lanewise = JSON.stringify(graph);
  const text = new TextEncoder().encode(JSON.stringify(header));
  const made = new Uint8Array(8 + text.length + bytes.length - 8 - length);
  new DataView(made.buffer).setUint32(0, text.length, true);
  made.set(text, 8);
  made.set(bytes.subarray(8 + length), 8 + text.length);
  return made;
}
