// The body of a request, never more of it than is allowed, nor for longer.
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
    return await Promise.race([drain(reader, most), late]);
  } catch (error) {
    reader.cancel().catch(() => {});
    if (error instanceof Refusal) throw error;
    throw new Refusal(400, "expected a complete body, it broke off", { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function drain(reader: ReadableStreamDefaultReader<Uint8Array>, most: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    size += next.value.length;
    if (size > most) throw tooLarge(most, `more than ${most}`);
    chunks.push(next.value);
  }
  if (chunks.length === 1) return chunks[0];
  const body = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

const tooLarge = (most: number, actual: string): Refusal =>
  new Refusal(413, `expected a body of at most ${most} bytes, got ${actual.slice(0, 24)}`);
