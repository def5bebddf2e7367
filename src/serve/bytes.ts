// Bytes that come in pieces.
import type { Share } from "./budget.js";

/** All pieces one after another. */
function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((n, { length }) => n + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** What has come so far. */
export class Pieces {
  readonly #most: number;
  readonly #tooMany: () => Error;
  readonly #share: Share | undefined;
  readonly #chunks: Uint8Array[] = [];
  #size = 0;

  /** @param share takes each piece */
  constructor(most: number, tooMany: () => Error, share?: Share) {
    this.#most = most;
    this.#tooMany = tooMany;
    this.#share = share;
  }

  /** @throws what `tooMany` makes, once there are more than `most`; {Refusal} when `share` has no more */
  add(chunk: Uint8Array): void {
    this.#size += chunk.length;
    if (this.#size > this.#most) throw this.#tooMany();
    this.#share?.take(chunk.length);
    this.#chunks.push(chunk);
  }

  whole(): Uint8Array {
    return this.#chunks.length === 1 ? this.#chunks[0] : joined(this.#chunks);
  }
}

/** All bytes of a stream. @throws what {@link Pieces} throw */
export async function drain(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  most: number,
  tooMany: () => Error,
  share?: Share,
): Promise<Uint8Array> {
  const pieces = new Pieces(most, tooMany, share);
  for (let next = await reader.read(); !next.done; next = await reader.read()) pieces.add(next.value);
  return pieces.whole();
}
