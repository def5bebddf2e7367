// Bytes that come in pieces.
import type { Share } from "./budget.js";

/** All pieces one after another. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((n, { length }) => n + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** All bytes of a stream; `share` takes each piece. @throws what `tooMany` makes, once there are more than `most`; {Refusal} when `share` has no more */
export async function drain(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  most: number,
  tooMany: () => Error,
  share?: Share,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    size += next.value.length;
    if (size > most) throw tooMany();
    share?.take(next.value.length);
    chunks.push(next.value);
  }
  return chunks.length === 1 ? chunks[0] : joined(chunks);
}
