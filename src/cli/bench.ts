// lanewise bench: how long predictions take here, and where the time goes.
import type { Command } from "commander";
import { type Tensor, type TensorSpec, tensor } from "../index.js";
import { openFile } from "./files.js";
import { integer } from "./usage.js";

export function addBench(program: Command): void {
  program
    .command("bench")
    .description("time of predictions on this machine, kernel by kernel")
    .argument("<file>", "a model: safetensors or TFLite")
    .option("--batch <n>", "samples in one prediction", integer("batch", 1), 1)
    .option("--runs <n>", "predictions that are timed", integer("runs", 1), 200)
    .option("--json", "the numbers as JSON")
    .action(async (file: string, { batch, runs, json }: { batch: number; runs: number; json?: boolean }) => {
      const { model } = await openFile(file);
      const feeds = model.inputs.map((spec) => zeros(spec, batch));
      const first = time(() => model.predict(feeds));
      for (let i = 0; i < Math.min(runs, 20); i++) model.predict(feeds); // until the engine has compiled what it will
      const times = Array.from({ length: runs }, () => time(() => model.predict(feeds))).sort((a, b) => a - b);
      const profile = model.profile(feeds, { runs: Math.min(runs, 50) });
      const [least, median] = [times[0], times[runs >> 1]];
      const samplesPerSecond = (1000 * batch) / median;
      if (json) {
        console.log(
          JSON.stringify({ file, batch, runs, first, least, median, samplesPerSecond, profile: profile.rows }),
        );
        return;
      }
      console.log(
        [
          `${file}, batch ${batch}: ${median.toFixed(4)} ms (median of ${runs}; least ${least.toFixed(4)}, first ${first.toFixed(2)}), ${Math.round(samplesPerSecond)} samples/s`,
          "",
          String(profile),
        ].join("\n"),
      );
    });
}

function time(run: () => unknown): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

/** Zeros are in the range of every input, indices too. */
function zeros({ shape, dtype }: TensorSpec, batch: number): Tensor {
  const all = [batch, ...shape];
  return tensor(new Uint8Array(all.reduce((n, size) => n * size, 1)), all, dtype);
}
