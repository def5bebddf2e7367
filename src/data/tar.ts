// Tar archives, read where they lie: ustar with pax and GNU long names (POSIX.1-2017, pax; GNU tar manual, "Basic Tar Format"). Our own
// lines and no library: those there are read streams or copy every file, and none checks sizes against the bytes at hand first.
import { FormatError } from "../errors.js";

const BLOCK = 512;
const decoder = new TextDecoder();

/**
 * The regular files of an archive by their paths, in its order; a path that is there twice counts once, with its last content.
 * @param tar the whole archive, not compressed
 * @returns views of the archive's bytes
 * @throws {FormatError} for what is no tar, is damaged or cut short; says at which byte
 */
export function untar(tar: Uint8Array): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  let longName: string | undefined;
  let at = 0;
  while (at < tar.length) {
    if (at + BLOCK > tar.length) throw refuse("a header of 512 bytes", `${tar.length - at} bytes`, at);
    const header = tar.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) break; // the end; archives are filled up behind it
    checkSum(header, at);
    const size = sizeOf(header.subarray(124, 136), at);
    const start = at + BLOCK;
    if (size > tar.length - start) throw refuse(`a file of ${size} bytes`, `${tar.length - start} bytes`, at);
    const content = tar.subarray(start, start + size);
    const type = String.fromCharCode(header[156]);
    if (type === "L") longName = textOf(content);
    else if (type === "x") longName = paxPath(content, at) ?? longName;
    else if (type !== "g" && type !== "K") {
      if (type === "0" || type === "\0" || type === "7") files.set(longName ?? nameOf(header), content);
      longName = undefined;
    }
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}

/** The sum of the header's bytes, its own field taken as spaces. */
function checkSum(header: Uint8Array, at: number): void {
  let sum = 8 * 32;
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) sum += header[i];
  const stored = textOf(header.subarray(148, 156)).trim();
  if (!/^[0-7]+$/.test(stored) || Number.parseInt(stored, 8) !== sum)
    throw refuse("a tar header with a sound checksum", "other bytes", at);
}

/** Octal digits; or, with the first bit set, a number of 95 bits, of which 53 are enough. */
function sizeOf(field: Uint8Array, at: number): number {
  const digits = textOf(field).trim();
  const size =
    field[0] === 0x80 ? field.subarray(1).reduce((n, byte) => n * 256 + byte, 0) : Number.parseInt(digits || "0", 8);
  const sound = field[0] === 0x80 ? Number.isSafeInteger(size) : /^[0-7]*$/.test(digits);
  if (!sound) throw refuse("a file's size", JSON.stringify(digits), at);
  return size;
}

function nameOf(header: Uint8Array): string {
  const name = textOf(header.subarray(0, 100));
  const prefix = textOf(header.subarray(257, 262)) === "ustar" ? textOf(header.subarray(345, 500)) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** The path among pax records, "length key=value\n" each. */
function paxPath(content: Uint8Array, at: number): string | undefined {
  let path: string | undefined;
  for (let from = 0; from < content.length; ) {
    const space = content.indexOf(32, from);
    const length = Number(decoder.decode(content.subarray(from, Math.max(from, Math.min(space, from + 10)))));
    if (!(Number.isInteger(length) && length > 0 && length <= content.length - from && space < from + length))
      throw refuse("pax records with their lengths", "others", at);
    const record = decoder.decode(content.subarray(space + 1, from + length - 1));
    if (record.startsWith("path=")) path = record.slice(5);
    if (record.startsWith("size=")) throw refuse("files of less than 8 GiB", "a size in a pax record", at);
    from += length;
  }
  return path;
}

/** Up to the first zero byte. */
function textOf(field: Uint8Array): string {
  const end = field.indexOf(0);
  return decoder.decode(end < 0 ? field : field.subarray(0, end));
}

const refuse = (expected: string, actual: string, at: number) =>
  new FormatError(`tar: expected ${expected} at byte ${at}, got ${actual}`, { op: "tar", expected, actual });
