// lanewise inspect: what is in a file, and what running it takes.
import type { Command } from "commander";
import { topological } from "../graph/walk.js";
import { FormatError, type Model, type TensorSpec } from "../index.js";
import { openBytes, readBytes } from "./files.js";
import { integer } from "./usage.js";

interface Stored {
  name: string;
  dtype: string;
  shape: number[];
  bytes: number;
}

export function addInspect(program: Command): void {
  program
    .command("inspect")
    .description("inputs, layers, quantization, plan and memory of a model; the tensors of any safetensors file")
    .argument("<file>", "safetensors or TFLite")
    .option("--batch <n>", "samples that the plan is for", integer("batch", 1), 1)
    .option("--plan", "every kernel call and the map of the memory")
    .option("--json", "all of it as JSON")
    .action(async (file: string, options: { batch: number; plan?: boolean; json?: boolean }) => {
      const bytes = await readBytes(file);
      const tensors = storedTensors(bytes, file);
      if (tensors) {
        const facts = { file, format: "safetensors", bytes: bytes.length, tensors };
        console.log(options.json ? JSON.stringify(facts) : tensorTable(facts));
        return;
      }
      const { model, format } = await openBytes(bytes, file);
      const facts = { file, format, bytes: bytes.length, ...describe(model, options.batch) };
      if (options.json) console.log(JSON.stringify(facts));
      else console.log(report(facts, model, options));
    });
}

function describe(model: Model, batch: number) {
  const { calls, regions, bytes, memory } = model.plan(batch);
  const weights = Object.entries(model.weights()).map(
    ([name, { dtype, shape, data }]): Stored => ({ name, dtype, shape: [...shape], bytes: data.byteLength }),
  );
  const numbers = weights.reduce((sum, { shape }) => sum + shape.reduce((n, d) => n * d, 1), 0);
  const at = new Map(topological(model.graph.outputs).map((node, i) => [node, i]));
  const graph = [...at.keys()].map((node) => ({
    op: node.op.name,
    layer: node.layer && (model.names.layers.get(node.layer) ?? node.layer.kind),
    inputs: node.inputs.map(({ node, index }) => [at.get(node), index]),
    outputs: node.outputs.map(({ shape, dtype }) => ({ shape, dtype })),
  }));
  const flops = calls.reduce((sum, call) => sum + call.flops, 0);
  const { inputs, outputs } = model;
  return {
    model: model.name,
    inputs,
    outputs,
    parameters: numbers,
    weights,
    graph,
    batch,
    flops,
    memory: { ...bytes, memory },
    calls,
    regions,
  };
}

function report(
  facts: ReturnType<typeof describe> & { file: string; format: string; bytes: number },
  model: Model,
  { batch, plan }: { batch: number; plan?: boolean },
): string {
  const { memory } = facts;
  const dtypes = [...new Set(facts.weights.map(({ dtype }) => dtype))].map((dtype) => {
    const of = facts.weights.filter((each) => each.dtype === dtype);
    return `${dtype} ${kilobytes(of.reduce((sum, { bytes }) => sum + bytes, 0))}`;
  });
  return [
    `${facts.file}: ${facts.format}, ${facts.bytes} bytes`,
    ...facts.inputs.map((spec) => `input  ${specLine(spec)}`),
    ...facts.outputs.map((spec) => `output ${specLine(spec)}`),
    "",
    model.summary(),
    "",
    `weights: ${dtypes.join(", ") || "none"}`,
    `batch ${batch}: ${facts.calls.filter(({ once }) => !once).length} kernel calls, ${(facts.flops / 1e6).toFixed(2)} million operations`,
    `memory: weights ${kilobytes(memory.weights)}, packed and constants ${kilobytes(memory.kept)}, workspace ${kilobytes(memory.workspace)}`,
    ...(plan ? ["", String(model.plan(batch))] : []),
  ].join("\n");
}

function specLine({ name, dtype, shape, quantization }: TensorSpec): string {
  const stands = quantization ? `, ${quantization.scale} ${shifted(quantization.zeroPoint)}` : "";
  return `${name}: ${dtype} [${["batch", ...shape].join(", ")}]${stands}`;
}

const kilobytes = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;

/** What a safetensors file without a graph of ours holds, whatever its dtypes; undefined for other files, and for our own. */
function storedTensors(bytes: Uint8Array, file: string): Stored[] | undefined {
  if (bytes.length < 10 || bytes[8] !== 0x7b) return undefined; // a header is JSON: "{"
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > bytes.length - 8) return undefined;
  let header: Record<string, { dtype?: unknown; shape?: unknown; data_offsets?: unknown; lanewise?: unknown }>;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  } catch {
    return undefined; // opening it says what is wrong
  }
  if (header.__metadata__?.lanewise !== undefined) return undefined;
  return Object.entries(header).flatMap(([name, { dtype, shape, data_offsets }]) => {
    if (name === "__metadata__") return [];
    const [begin, end] = Array.isArray(data_offsets) ? data_offsets : [];
    const fits =
      Number.isSafeInteger(begin) && Number.isSafeInteger(end) && begin <= end && end <= bytes.length - 8 - length;
    if (typeof dtype !== "string" || !Array.isArray(shape) || !fits)
      throw new FormatError(`${file}: tensor "${name}": expected a dtype, a shape and a place in the file`);
    return [{ name, dtype, shape, bytes: end - begin }];
  });
}

function tensorTable({ file, bytes, tensors }: { file: string; bytes: number; tensors: Stored[] }): string {
  const width = Math.max(...tensors.map(({ name }) => name.length), 4);
  const lines = tensors.map(
    (t) => `${t.name.padEnd(width)}  ${t.dtype.padEnd(4)}  ${kilobytes(t.bytes).padStart(12)}  [${t.shape.join(", ")}]`,
  );
  return [`${file}: safetensors without a graph, ${bytes} bytes, ${tensors.length} tensors`, ...lines].join("\n");
}

const shifted = (zeroPoint: number): string => `(x ${zeroPoint < 0 ? "+" : "-"} ${Math.abs(zeroPoint)})`;
