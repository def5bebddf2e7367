// The body of a request, never more of it than is allowed, nor for longer.
import type { Share } from "./budget.js";
import { drain } from "./bytes.js";
import { Refusal } from "./refusal.js";

/** What a body may be: bytes, and milliseconds until it is there. */
export interface BodyLimits {
  readonly bodyBytes: number;
  readonly bodyTime: number;
}

/** Bytes that are taken when they are announced, before they come: as many requests as may be under way take half of all there are. */
const SHORT = 1 << 16;

/**
 * @param share takes what will be held
 * @throws {Refusal} 413 beyond the bytes, 408 after the time, 400 when it breaks off, 503 when too much is held already
 */
export async function readBody(
  request: Request,
  { bodyBytes: most, bodyTime: time }: BodyLimits,
  share: Share,
): Promise<Uint8Array> {
  const announced = request.headers.get("content-length") ?? undefined;
  checkLength(announced, most);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  try {
    return await new Promise<Uint8Array>((resolve, reject) => {
      timer = setTimeout(() => reject(tooLate(time)), time);
      // A short body of known length is read whole, which is faster; as it is where requests give no stream, in Firefox.
      const isShort = announced !== undefined && Number(announced) <= SHORT;
      reader = isShort ? undefined : request.body?.getReader();
      if (!reader) share.take(Number(announced ?? 0));
      const bytes = reader ? drain(reader, most, () => tooMuch(most), share) : whole(request, most);
      bytes.then(resolve, reject);
    });
  } catch (error) {
    reader?.cancel().catch(() => {});
    throw error instanceof Refusal ? error : brokeOff(error);
  } finally {
    clearTimeout(timer);
  }
}

async function whole(request: Request, most: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (bytes.length > most) throw tooMuch(most);
  return bytes;
}

/** @throws {Refusal} where a header announces more than `most` bytes */
export function checkLength(announced: string | undefined, most: number): void {
  if (announced !== undefined && Number(announced) > most) throw tooLarge(most, announced);
}

export const tooMuch = (most: number): Refusal => tooLarge(most, `more than ${most}`);

export const tooLate = (time: number): Refusal => new Refusal(408, `expected the body within ${time} ms`);

export const brokeOff = (cause?: unknown): Refusal =>
  new Refusal(400, "expected a complete body, it broke off", { cause });

const tooLarge = (most: number, actual: string): Refusal =>
  new Refusal(413, `expected a body of at most ${most} bytes, got ${actual.slice(0, 24)}`);
