// The body of a request, never more of it than is allowed, nor for longer.
import { drain } from "./bytes.js";
import { Refusal } from "./refusal.js";

/** @throws {Refusal} 413 beyond `most` bytes, 408 when it takes longer than `time` ms, 400 when it breaks off */
export async function readBody(request: Request, most: number, time: number): Promise<Uint8Array> {
  const announced = request.headers.get("content-length") ?? undefined;
  checkLength(announced, most);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  try {
    return await new Promise<Uint8Array>((resolve, reject) => {
      timer = setTimeout(() => reject(tooLate(time)), time);
      // A body of known length is read whole, which is faster; as it is where requests give no stream, in Firefox.
      reader = announced === undefined ? request.body?.getReader() : undefined;
      const bytes = reader ? drain(reader, most, () => tooMuch(most)) : whole(request, most);
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
