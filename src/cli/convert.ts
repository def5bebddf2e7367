// lanewise convert: any model that can be opened, as Lanewise's own file.
import { randomUUID } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";
import { extname } from "node:path";
import type { Command } from "commander";
import { type Model, save } from "../index.js";
import { openFile } from "./files.js";
import { fileError, UsageError } from "./usage.js";

export function addConvert(program: Command): void {
  program
    .command("convert")
    .description("a TFLite file as safetensors with its graph; int8 stays int8")
    .argument("<in>", "a model: TFLite or safetensors")
    .argument("<out>", "the file to write, .safetensors")
    .option("--json", "what was written as JSON on standard output")
    .action(async (from: string, to: string, { json }: { json?: boolean }) => {
      const { model, format, bytes } = await openFile(from);
      const written = await writeModel(model, to);
      if (json) console.log(JSON.stringify({ from, format, bytes, to, written }));
      else console.error(`${to}: ${written} bytes, from ${bytes} of ${format}`);
    });
}

/** All of the file or nothing. @returns its bytes */
export async function writeModel(model: Model, path: string): Promise<number> {
  checkOutput(path);
  const bytes = save(model);
  const draft = `${path}.${randomUUID()}.draft`;
  try {
    await writeFile(draft, bytes);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw fileError(path, error);
  }
  return bytes.length;
}

/** @throws {UsageError} for a name that promises another format */
export function checkOutput(path: string): void {
  if (extname(path) === ".safetensors") return;
  throw new UsageError(`${path}: expected a name that ends in .safetensors, the format that is written`);
}
