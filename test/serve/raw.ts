// Bytes on a socket as no HTTP client would send them, and what a server answers.
import { connect, type Socket } from "node:net";

export interface Answer {
  status: number;
  head: string;
  body: string;
  /** What an answer that is no result says. */
  error: string | undefined;
}

/** What is sent: bytes, or a wait in milliseconds. */
export type Part = string | Uint8Array | number;

/**
 * Sends parts one after another.
 * @param count answers after which the client has enough; a server that closes before that gives fewer
 * @param end "half" ends the client's side when all is sent
 */
export async function send(
  url: string,
  parts: readonly Part[],
  { count = 1, end }: { count?: number; end?: "half" } = {},
): Promise<Answer[]> {
  const socket = await dial(url);
  let received = "";
  let isEnough = false;
  let goOn = () => {};
  const enough = new Promise<void>((resolve) => {
    const stop = () => {
      isEnough = true;
      goOn();
      resolve();
    };
    socket.on("data", (bytes) => {
      received += bytes.toString("latin1");
      if (answersOf(received).length >= count) stop();
    });
    socket.on("drain", () => goOn());
    socket.on("error", () => {}); // reset while still sending: "close" follows
    socket.on("close", stop);
  });
  for (const part of parts) {
    const next = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    if (typeof part === "number") setTimeout(goOn, part);
    else if (socket.write(part)) goOn();
    if (!isEnough) await next;
    if (isEnough) break;
  }
  if (end === "half") socket.end();
  await enough;
  socket.destroy();
  return answersOf(received);
}

export async function dial(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  return socket;
}

/** The answers that are complete; `100 Continue` is none. */
function answersOf(text: string): Answer[] {
  const answers: Answer[] = [];
  for (let at = 0; ; ) {
    const end = text.indexOf("\r\n\r\n", at);
    if (end < 0) return answers;
    const head = text.slice(at, end);
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
    at = end + 4;
    if (status === 100) continue;
    const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
    if (text.length < at + length) return answers;
    const body = Buffer.from(text.slice(at, at + length), "latin1").toString();
    const isJson = /^content-type: application\/json/im.test(head) && length > 0;
    answers.push({ status, head, body, error: isJson ? JSON.parse(body).error : undefined });
    at += length;
  }
}

export const head = (method: string, path: string, headers: readonly string[] = []): string =>
  `${[`${method} ${path} HTTP/1.1`, "Host: localhost", ...headers].join("\r\n")}\r\n\r\n`;

export const post = (path: string, body: string, headers: readonly string[] = []): string =>
  head("POST", path, [`Content-Length: ${Buffer.byteLength(body)}`, ...headers]) + body;

export const chunked = (path: string, ...chunks: readonly string[]): string =>
  head("POST", path, ["Transfer-Encoding: chunked"]) +
  chunks.map((chunk) => `${Buffer.byteLength(chunk).toString(16)}\r\n${chunk}\r\n`).join("");
