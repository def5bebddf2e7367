// lanewise predict: numbers or images in, JSON out.
import type { Command } from "commander";
import { toLists } from "./arrays.js";
import { openFile } from "./files.js";
import { RANGE, type SampleOptions, samplesOf } from "./samples.js";
import { each } from "./usage.js";

interface Options extends SampleOptions {
  input: string[];
}

export function addPredict(program: Command): void {
  program
    .command("predict")
    .description("what a model makes of numbers or images, as JSON")
    .argument("<file>", "a model: safetensors or TFLite")
    .requiredOption(
      "--input <file>",
      "samples as .npy, JSON (a list, or lists by the names of inputs) or CSV, - is standard input; or an image, JPEG or PNG, or a folder of " +
        "them; several images: once for each",
      each,
    )
    .option(...RANGE)
    .option("--raw", "integers of quantized inputs and outputs as they are, not as what they stand for")
    .action(async (file: string, { input, range, raw = false }: Options) => {
      const { model } = await openFile(file);
      const results = [model.predict(await samplesOf(input, model.inputs, { range, raw }))].flat();
      const outputs = model.outputs.map((spec, i) => {
        const { shape, dtype } = results[i];
        return {
          name: spec.name,
          dtype: spec.quantization && !raw ? "float32" : dtype,
          shape,
          data: toLists(results[i], spec, raw),
        };
      });
      console.log(JSON.stringify({ model: model.name, outputs }));
    });
}
