// lanewise predict: numbers in, JSON out.
import type { Command } from "commander";
import { feedsOf, readNumbers, toLists } from "./arrays.js";
import { openFile } from "./files.js";

export function addPredict(program: Command): void {
  program
    .command("predict")
    .description("what a model makes of numbers, as JSON")
    .argument("<file>", "a model: safetensors or TFLite")
    .requiredOption(
      "--input <file>",
      "samples as .npy, JSON (a list, or lists by the names of inputs) or CSV; - is standard input",
    )
    .option("--raw", "integers of quantized inputs and outputs as they are, not as what they stand for")
    .action(async (file: string, { input, raw = false }: { input: string; raw?: boolean }) => {
      const { model } = await openFile(file);
      const results = [model.predict(feedsOf(await readNumbers(input), model.inputs, raw))].flat();
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
