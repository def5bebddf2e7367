// Bounded decompression of gzip: the output can neither fall short of nor exceed what its own beginning promises. The stream is
// the platform's DecompressionStream, which checks the CRC. gzip: RFC 1952.

import { FormatError, UnsupportedError } from "../errors.js";

/**
 * Decompresses a gzip file of one member.
 *
 * @param file the whole file
 * @param promised the length that the output announces in its first bytes, undefined while these are too few; may throw
 * @param op for errors
 * @throws {FormatError} when the output is shorter or longer than promised, or damaged
 * @throws {UnsupportedError} where the runtime has no `DecompressionStream`
 */
export async function gunzip(
  file: Uint8Array,
  promised: (start: Uint8Array) => number | undefined,
  op: string,
): Promise<Uint8Array<ArrayBuffer>> {
  if (typeof DecompressionStream === "undefined") {
    throw new UnsupportedError(`${op}: this runtime has no DecompressionStream; decompress the gzip file first`, [
      "gunzip",
    ]);
  }
  const { readable, writable } = new DecompressionStream("gzip");
  const writer = writable.getWriter();
  const ignore = () => {}; // what fails on the way in is reported on the way out
  writer.write(file as Uint8Array<ArrayBuffer>).catch(ignore);
  writer.close().catch(ignore);
  const reader = readable.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  let total: number | undefined;
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        // Node 20 comes here for bytes after the end too: it reads them as a second member before it gives what was in the first.
        throw refuse(
          op,
          "sound gzip data with nothing after it",
          cause instanceof Error ? cause.message : String(cause),
          cause,
        );
      });
      if (done) break;
      chunks.push(value);
      length += value.length;
      if (total === undefined) {
        total = promised(chunks.length > 1 ? join(chunks, length) : value);
        if (total !== undefined) checkTrailer(op, file, total);
      }
      if (total !== undefined && length > total) {
        throw refuse(op, `${total} bytes of gzip output, as its header says`, `${length} bytes or more`);
      }
    }
  } finally {
    // Frees the decompressor when it was left early.
    reader.cancel().catch(ignore);
  }
  if (total !== undefined && length < total) {
    throw refuse(op, `${total} bytes of gzip output, as its header says`, `${length} bytes`);
  }
  return join(chunks, length);
}

/** gzip repeats the length of its output in its last four bytes: a file cut short, or followed by others, is told at once. */
function checkTrailer(op: string, file: Uint8Array, total: number): void {
  const size = new DataView(file.buffer, file.byteOffset, file.length).getUint32(file.length - 4, true);
  if (size !== total) {
    throw refuse(
      op,
      `a gzip file that ends in its output's length, ${total}`,
      `${size} (cut short, or bytes after its end)`,
    );
  }
}

function join(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

const refuse = (op: string, expected: string, actual: string, cause?: unknown) =>
  new FormatError(`${op}: expected ${expected}, got ${actual}`, { op, expected, actual, cause });
