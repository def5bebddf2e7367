// lanewise evaluate: loss and metrics of a model over examples in a file.
import type { Command } from "commander";
import { csv, type LabelledTable } from "../data/index.js";
import { type Model, type NestedArray, type Tensor, type TensorSpec, tensor } from "../index.js";
import { type EvaluateOptions, evaluate } from "../train/index.js";
import { feedsOf, readNumbers } from "./arrays.js";
import { openFile, readBytes } from "./files.js";
import type { Numbers } from "./npy.js";
import { integer, names, UsageError } from "./usage.js";

interface Options {
  input?: string;
  labels?: string;
  csv?: string;
  target?: string;
  loss: string;
  metrics?: string;
  batchSize: number;
  json?: boolean;
}

export function addEvaluate(program: Command): void {
  program
    .command("evaluate")
    .description("loss and metrics of a model over examples")
    .argument("<file>", "a model: safetensors or TFLite")
    .option("--input <file>", "samples as .npy, JSON or CSV")
    .option("--labels <file>", "what they should give, likewise")
    .option("--csv <file>", "samples and labels in one table, with --target")
    .option("--target <column>", "the table's column to be predicted")
    .requiredOption("--loss <name>", "as for fit: sparseCategoricalCrossentropy, mse ...")
    .option("--metrics <names>", "as for fit, joined by commas: accuracy,f1Score")
    .option("--batch-size <n>", "samples at once", integer("batch-size", 1), 32)
    .option("--json", "the numbers as JSON")
    .action(async (file: string, options: Options) => {
      const { model } = await openFile(file);
      const { x, y } = await examples(options, model);
      const metrics = options.metrics && names(options.metrics);
      const how = { loss: options.loss, batchSize: options.batchSize, ...(metrics && { metrics }) };
      const logs = await evaluate(model, { x, y }, how as EvaluateOptions);
      if (options.json) console.log(JSON.stringify(logs));
      else for (const [name, value] of Object.entries(logs)) console.log(`${name} ${value}`);
    });
}

async function examples(
  { input, labels, csv: table, target, loss }: Options,
  { inputs, outputs }: Model,
): Promise<{ x: Tensor | Tensor[]; y: Tensor }> {
  if (table !== undefined && target !== undefined && input === undefined && labels === undefined) {
    const { x, y }: LabelledTable = csv(await readBytes(table), { target });
    return { x: feedsOf(x, inputs, false)[0], y: labelsOf(y, loss, outputs[0]) };
  }
  if (input === undefined || labels === undefined || table !== undefined || target !== undefined)
    throw new UsageError("expected --input and --labels, or --csv and --target");
  const y = (await readNumbers(labels)) as Numbers;
  if (!Array.isArray(y.shape)) throw new UsageError("--labels: expected one array");
  const x = feedsOf(await readNumbers(input), inputs, false);
  return { x: x.length === 1 ? x[0] : x, y: labelsOf(y, loss, outputs[0]) };
}

/** Classes for losses of classes, else numbers of the output's shape. */
function labelsOf({ data, shape }: Numbers, loss: string, spec: TensorSpec): Tensor {
  const numbers = Array.from(data);
  if (loss.startsWith("sparse")) return tensor([numbers] as NestedArray, [numbers.length], "int32");
  const rows = shape[0];
  const column = shape.length === 1 && spec.shape.length > 0;
  return tensor([numbers] as NestedArray, column ? [rows, ...spec.shape] : [...shape], "float32");
}
