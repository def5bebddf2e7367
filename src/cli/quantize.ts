// lanewise quantize: a model of floats as one of int8, by samples such as it will see.
import type { Command } from "commander";
import { type QuantizeOptions, quantize } from "../compress/index.js";
import { checkOutput } from "./convert.js";
import { openFile } from "./files.js";
import { RANGE, type SampleOptions, samplesOf } from "./samples.js";
import { writeSmaller } from "./smaller.js";
import { each, names } from "./usage.js";

interface Options extends SampleOptions, Omit<QuantizeOptions, "calibration" | "percentile"> {
  calibration?: string[];
  json?: boolean;
}

export function addQuantize(program: Command): void {
  program
    .command("quantize")
    .description("a model of floats as one of int8: a quarter of its size")
    .argument("<in>", "a model of floats: safetensors or TFLite")
    .argument("<out>", "the file to write, .safetensors")
    .option(
      "--calibration <file>",
      "samples such as it will see, some hundred, as for predict; or the module that train took",
      each,
    )
    .option(...RANGE)
    .option("--method <name>", "how ranges are made of what is observed: minMax, movingAverage, percentile or mse")
    .option("--equalize", "equalise the ranges of channels between layers first")
    .option("--bias-correction", "take the mean error that rounding makes off the biases")
    .option("--skip <names>", "layers that stay float, joined by commas", names)
    .option("--inputs <dtype>", "what goes in: float32, the default, or int8")
    .option("--outputs <dtype>", "what comes out, likewise")
    .option("--json", "what was written, and how it compares, as JSON on standard output")
    .action(async (from: string, to: string, { calibration, range, json, ...options }: Options) => {
      checkOutput(to);
      const { model } = await openFile(from);
      const x = calibration && (await samplesOf(calibration, model.inputs, { range }));
      await writeSmaller(await quantize(model, { ...options, ...(x && { calibration: x }) }), to, {
        from,
        model,
        x,
        json,
      });
    });
}
