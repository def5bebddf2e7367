// The body of a request, never more of it than is allowed, nor for longer.
import { drain } from "./bytes.js";
import { Refusal } from "./refusal.js";

/** @throws {Refusal} 413 beyond `most` bytes, 408 when it takes longer than `time` ms, 400 when it breaks off */
export async function readBody(request: Request, most: number, time: number): Promise<Uint8Array> {
  const announced = request.headers.get("content-length");
  if (announced !== null && Number(announced) > most) throw tooLarge(most, announced);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  try {
    return await new Promise<Uint8Array>((resolve, reject) => {
      timer = setTimeout(() => reject(new Refusal(408, `expected the body within ${time} ms`)), time);
      // A body of known length is read whole, which is faster; as it is where requests give no stream, in Firefox.
      reader = announced === null ? request.body?.getReader() : undefined;
      const bytes = reader ? drain(reader, most, () => tooMuch(most)) : whole(request, most);
      bytes.then(resolve, reject);
    });
  } catch (error) {
    reader?.cancel().catch(() => {});
    if (error instanceof Refusal) throw error;
    throw new Refusal(400, "expected a complete body, it broke off", { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function whole(request: Request, most: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (bytes.length > most) throw tooMuch(most);
  return bytes;
}

const tooMuch = (most: number): Refusal => tooLarge(most, `more than ${most}`);

const tooLarge = (most: number, actual: string): Refusal =>
  new Refusal(413, `expected a body of at most ${most} bytes, got ${actual.slice(0, 24)}`);
