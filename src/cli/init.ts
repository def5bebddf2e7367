// lanewise init: a module for `lanewise train` to begin with.
import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { fileError, UsageError } from "./usage.js";

/** Trains at once, on digits that the package draws itself. */
const CONFIG = `// What to train, for \`lanewise train\` and the commands after it. Each export is a value, or a function that makes it.
import { build, conv2d, dense, flatten, input, maxPooling2d, sequential } from "lanewise";
import { digits } from "lanewise/data"; // or csv, idx, imageFolder, dataset

const layers = sequential(
  conv2d(8, 5, { activation: "relu" }),
  maxPooling2d(2),
  conv2d(16, 5, { activation: "relu" }),
  maxPooling2d(2),
  flatten(),
  dense(10, { activation: "softmax" }),
);

export const model = () => build(input([28, 28, 1], { name: "image" }), layers, { name: "digits", seed: 1 });

/** Examples { x, y }; handwritten digits, drawn from strokes. */
export const data = () => digits({ count: 4000, seed: 1 });
export const test = () => digits({ count: 1000, seed: 2 });

/** The options of \`fit\`. */
export const fit = {
  optimizer: "adam",
  loss: "sparseCategoricalCrossentropy",
  metrics: ["accuracy"],
  epochs: 3,
  seed: 1,
};
`;

export function addInit(program: Command): void {
  program
    .command("init")
    .description("write a module for train to begin with: a small convolutional network on drawn digits")
    .argument("[file]", "which is not there yet", "digits.mjs")
    .action(async (file: string) => {
      await writeFile(file, CONFIG, { flag: "wx" }).catch((error) => {
        if (error.code === "EEXIST") throw new UsageError(`${file}: there is such a file already`);
        throw fileError(file, error);
      });
      console.error(`${file}: npx lanewise train ${file} --out digits.safetensors`);
    });
}
