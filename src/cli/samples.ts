// Samples for a model out of files: numbers, or images, brought to the size and the colours that it takes.
import { stat } from "node:fs/promises";
import { type ImageFileOptions, imageFolder, loadImage } from "../data/index.js";
import { type Tensor, type TensorSpec, tensor } from "../index.js";
import { quantizeData } from "../ops/quantized/index.js";
import { feedsOf, readNumbers } from "./arrays.js";
import { isConfig, readConfig } from "./config.js";
import { readBytes } from "./files.js";
import { fileError, UsageError } from "./usage.js";

export interface SampleOptions {
  /** What black and white are to the model. */
  range: readonly [low: number, high: number];
  /** Whether numbers for quantized inputs are the integers themselves; default false. */
  raw?: boolean | undefined;
}

/** Examples of a configuration that samples are taken of. */
const EXAMPLES = 512;

/** An option for commands that take samples: what it says, how its text is read, and its default. */
export const RANGE = [
  "--range <low,high>",
  "what black and white pixels are to the model",
  (text: string): SampleOptions["range"] => {
    const numbers = text.split(",").map(Number);
    if (numbers.length === 2 && numbers.every(Number.isFinite) && numbers[0] !== numbers[1])
      return numbers as [number, number];
    throw new UsageError(`--range: expected two numbers such as 0,1 or -1,1, got "${text}"`);
  },
  [0, 1] as SampleOptions["range"],
] as const;

/**
 * One tensor for each input of a model.
 * @param paths one file of numbers, a configuration of `train`, or images and folders of images
 * @throws {UsageError} for files that cannot be together, or images for a model that takes none
 */
export async function samplesOf(
  paths: readonly string[],
  specs: readonly TensorSpec[],
  { range, raw = false }: SampleOptions,
): Promise<Tensor[]> {
  if (paths.length === 1 && isConfig(paths[0])) return examplesOf(paths[0]);
  const kinds = await Promise.all(paths.map(kindOf));
  if (!kinds.some((kind) => kind !== "numbers")) {
    if (paths.length === 1) return feedsOf(await readNumbers(paths[0]), specs, raw);
    throw new UsageError(`expected one file of numbers, got ${paths.length}`);
  }
  const stray = kinds.indexOf("numbers");
  if (stray >= 0) throw new UsageError(`${paths[stray]}: expected an image, as the others are`);
  const [spec] = specs;
  const options = imagesFor(specs, range);
  const images: Tensor[] = [];
  for (const [i, path] of paths.entries()) {
    if (kinds[i] === "image") images.push(await loadImage(path, options));
    else for await (const { x } of await imageFolder(path, { ...options, labels: null })) images.push(x);
  }
  const size = images[0].data.length;
  const all = new Float32Array(images.length * size);
  for (const [i, { data }] of images.entries()) all.set(data, i * size);
  const { dtype, quantization } = spec;
  const shape = [images.length, ...spec.shape];
  if (quantization) return [tensor(quantizeData(all, { dtype, quantization }), shape, dtype)];
  return [dtype === "float32" ? tensor(all, shape) : tensor(Array.from(all, Math.round), shape, dtype)];
}

/** The first inputs of what a configuration trains on. */
async function examplesOf(path: string): Promise<Tensor[]> {
  const { data } = await readConfig(path, ["data"]);
  const { x } = data as { x?: Tensor | Record<string, Tensor> | readonly Tensor[] };
  if (x === undefined) throw new UsageError(`${path}: expected data to be examples { x, y }, not a dataset`);
  const list = ArrayBuffer.isView((x as Tensor).data) ? [x as Tensor] : Object.values(x as readonly Tensor[]);
  return list.map(({ data, shape, dtype }) => {
    const count = Math.min(shape[0], EXAMPLES);
    return tensor(data.subarray(0, (data.length / shape[0]) * count), [count, ...shape.slice(1)], dtype);
  });
}

async function kindOf(path: string): Promise<"numbers" | "image" | "folder"> {
  if (path === "-") return "numbers";
  const found = await stat(path).catch((error) => {
    throw fileError(path, error);
  });
  if (found.isDirectory()) return "folder";
  const [a, b, c, d] = await readBytes(path);
  return (a === 0xff && b === 0xd8) || (a === 0x89 && b === 0x50 && c === 0x4e && d === 0x47) ? "image" : "numbers";
}

const colors = { 1: "grayscale", 3: "rgb", 4: "rgba" } as const;

/** How images become what a model takes: (byte / 255) from low to high. */
function imagesFor(specs: readonly TensorSpec[], [low, high]: SampleOptions["range"]): ImageFileOptions {
  const [height, width, channels] = specs[0].shape;
  const isImage = specs.length === 1 && specs[0].shape.length === 3 && channels in colors;
  if (!isImage) {
    const inputs = specs.map(({ name, shape }) => `"${name}" [${shape.join(", ")}]`).join(", ");
    throw new UsageError(`images are for models of one input [height, width, 1, 3 or 4], this one has ${inputs}`);
  }
  const colorMode = colors[channels as keyof typeof colors];
  return { imageSize: [height, width], colorMode, scale: (high - low) / 255, mean: -low };
}
