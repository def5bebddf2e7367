// @ts-check
// Files that examples read, gzipped or not.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { UsageError } from "./options.mjs";

/**
 * The bytes of NAME, or of NAME.gz unpacked.
 * @param {string} folder @param {string} name @returns {Promise<Uint8Array<ArrayBuffer>>}
 * @throws {UsageError} when there is neither, or it cannot be read
 */
export async function bytesOf(folder, name) {
  for (const path of [join(folder, name), join(folder, `${name}.gz`)]) {
    const bytes = await readFile(path).catch((error) => {
      if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
      throw new UsageError(`${path}: ${error.message}`);
    });
    if (bytes === undefined) continue;
    try {
      return new Uint8Array(path.endsWith(".gz") ? gunzipSync(bytes) : bytes); // a copy: its offset is 0, so that it can be viewed as floats
    } catch (error) {
      throw new UsageError(`${path}: ${/** @type {Error} */ (error).message}`);
    }
  }
  throw new UsageError(`no file ${name} or ${name}.gz in ${folder}`);
}

/** Its text. @param {string} folder @param {string} name */
export const textOf = async (folder, name) => new TextDecoder().decode(await bytesOf(folder, name));

/**
 * Its little-endian float32 numbers.
 * @param {string} folder @param {string} name
 * @throws {UsageError} also when the bytes are no multiple of 4
 */
export async function floatsOf(folder, name) {
  const { buffer, byteLength } = await bytesOf(folder, name);
  if (byteLength % 4 !== 0) throw new UsageError(`${join(folder, name)}: ${byteLength} bytes are no float32 numbers`);
  return new Float32Array(buffer);
}
