// Models as files: whatever can be opened is told by its bytes, not by its name.
import { readFile } from "node:fs/promises";
import { basename, extname } from "node:path";
import { fromTflite } from "../formats/tflite/index.js";
import { load, type Model } from "../index.js";
import { everyLayer } from "../serve/index.js";
import { fileError, UsageError } from "./usage.js";

export interface Opened {
  readonly model: Model;
  readonly format: "safetensors" | "tflite";
  /** Of the file. */
  readonly bytes: number;
}

/** @throws {UsageError} when it cannot be read; {FormatError} or {UnsupportedError} when it is no model that can be run */
export async function openFile(path: string): Promise<Opened> {
  return openBytes(await readBytes(path), path);
}

/** @param path that they are from, which names the model */
export async function openBytes(bytes: Uint8Array, path: string): Promise<Opened> {
  const name = modelName(path);
  if (isTflite(bytes)) return { model: await fromTflite(bytes, { name }), format: "tflite", bytes: bytes.length };
  return {
    model: await load(bytes, { name, layers: everyLayer }),
    format: "safetensors",
    bytes: bytes.length,
  };
}

/** @param path "-" is standard input */
export async function readBytes(path: string): Promise<Uint8Array> {
  if (path === "-") {
    const chunks: Uint8Array[] = [];
    for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
    return Buffer.concat(chunks);
  }
  return readFile(path).catch((error) => {
    throw fileError(path, error);
  });
}

/** The file's name without its ending: what the model is called. */
export function modelName(path: string): string {
  const name = basename(path, extname(path));
  if (name === "") throw new UsageError(`${path}: expected a file with a name`);
  return name;
}

/** FlatBuffers of TensorFlow Lite have their identifier at byte 4. */
const isTflite = (bytes: Uint8Array): boolean => String.fromCharCode(...bytes.subarray(4, 8)) === "TFL3";
