// lanewise prune: a model without the weights that matter least.
import type { Command } from "commander";
import { type PruneOptions, prune } from "../compress/index.js";
import { readConfig } from "./config.js";
import { checkOutput } from "./convert.js";
import { openFile } from "./files.js";
import { RANGE, type SampleOptions, samplesOf } from "./samples.js";
import { writeSmaller } from "./smaller.js";
import { each, UsageError } from "./usage.js";

interface Options extends SampleOptions, Pick<PruneOptions, "structure" | "scope"> {
  sparsity: PruneOptions["sparsity"];
  input?: string[];
  finetune?: string;
  json?: boolean;
}

export function addPrune(program: Command): void {
  program
    .command("prune")
    .description("a model without the weights of the smallest magnitude; `lanewise train` can train it on")
    .argument("<in>", "a model of floats: safetensors or TFLite")
    .argument("<out>", "the file to write, .safetensors")
    .requiredOption("--sparsity <share>", "what goes: 0.8, or dense=0.9,conv2d=0.5 by layers", sparsityOf)
    .option("--structure <name>", "what goes together: block, the default, unstructured or channel")
    .option("--scope <name>", "global compares weights of all layers, layer takes the same share of each")
    .option("--input <file>", "samples to compare both models on, as for predict", each)
    .option(...RANGE)
    .option("--finetune <config>", "a module as for train: what is left trains on with its data and fit")
    .option("--json", "what was written, and how it compares, as JSON on standard output")
    .action(async (from: string, to: string, { input, range, finetune, json, ...options }: Options) => {
      checkOutput(to);
      const { model } = await openFile(from);
      const x = input && (await samplesOf(input, model.inputs, { range }));
      const config = finetune === undefined ? undefined : await readConfig(finetune, ["data", "fit"]);
      const trained = config && { finetune: { ...config.fit, data: config.data } };
      await writeSmaller(await prune(model, { ...options, ...trained }), to, { from, model, x, json });
    });
}

function sparsityOf(text: string): PruneOptions["sparsity"] {
  const share = (part: string) => (/^\s*\d*\.?\d+\s*$/.test(part) ? Number(part) : Number.NaN);
  if (!text.includes("=")) return checked(share(text));
  return Object.fromEntries(text.split(",").map((part) => [part.split("=")[0], checked(share(part.split("=")[1]))]));

  function checked(value: number): number {
    if (value >= 0 && value <= 1) return value;
    throw new UsageError(`--sparsity: expected a share from 0 to 1, or layer=share joined by commas, got "${text}"`);
  }
}
