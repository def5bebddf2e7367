// The body of a request, never more of it than is allowed, nor for longer.
import { drain } from "./bytes.js";
import { Refusal } from "./refusal.js";

/** @throws {Refusal} 413 beyond `most` bytes, 408 when it takes longer than `time` ms, 400 when it breaks off */
export async function readBody(request: Request, most: number, time: number): Promise<Uint8Array> {
  const announced = request.headers.get("content-length");
  if (announced !== null && Number(announced) > most) throw tooLarge(most, announced);
  if (request.body === null) return new Uint8Array();
  // In Firefox requests give no stream: there the whole body is read, then measured.
  const reader = (request.body as Request["body"] | undefined)?.getReader();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Refusal(408, `expected the body within ${time} ms`)), time);
  });
  try {
    const refuse = () => tooLarge(most, `more than ${most}`);
    return await Promise.race([reader ? drain(reader, most, refuse) : whole(request, most, refuse), late]);
  } catch (error) {
    reader?.cancel().catch(() => {});
    if (error instanceof Refusal) throw error;
    throw new Refusal(400, "expected a complete body, it broke off", { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function whole(request: Request, most: number, refuse: () => Refusal): Promise<Uint8Array> {
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (bytes.length > most) throw refuse();
  return bytes;
}

const tooLarge = (most: number, actual: string): Refusal =>
  new Refusal(413, `expected a body of at most ${most} bytes, got ${actual.slice(0, 24)}`);
