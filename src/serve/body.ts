// The body of a request, never more of it than is allowed, nor for longer.
import { drain } from "./bytes.js";
import { Refusal } from "./refusal.js";

/** @throws {Refusal} 413 beyond `most` bytes, 408 when it takes longer than `time` ms, 400 when it breaks off */
export async function readBody(request: Request, most: number, time: number): Promise<Uint8Array> {
  const announced = request.headers.get("content-length");
  if (announced !== null && Number(announced) > most) throw tooLarge(most, announced);
  if (request.body === null) return new Uint8Array();
  const reader = request.body.getReader();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Refusal(408, `expected the body within ${time} ms`)), time);
  });
  try {
    return await Promise.race([drain(reader, most, () => tooLarge(most, `more than ${most}`)), late]);
  } catch (error) {
    reader.cancel().catch(() => {});
    if (error instanceof Refusal) throw error;
    throw new Refusal(400, "expected a complete body, it broke off", { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

const tooLarge = (most: number, actual: string): Refusal =>
  new Refusal(413, `expected a body of at most ${most} bytes, got ${actual.slice(0, 24)}`);
