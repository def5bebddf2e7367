// Node's HTTP server around a service. What it refuses by itself it refuses as the service does, in JSON, and nobody holds a
// connection for longer than a request may take to arrive.
import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { Gate } from "../serve/gate.js";
import { listener } from "../serve/index.js";

export interface HttpServer {
  /** @returns the address that clients use @throws what keeps it from listening */
  listen(port: number, host: string): Promise<string>;
  /** Takes no more connections. Resolves when answers are out, `GRACE` ms after `answered` at most, and connections are closed. */
  close(answered: Promise<unknown>): Promise<void>;
}

export interface HttpTimes {
  /** Milliseconds for the headers of a request, from the connection on; default 10,000. */
  headers?: number;
  /** Milliseconds for a whole request; default 60,000. The service gives up on bodies before that. */
  request?: number;
}

/** Milliseconds that clients have to read their answers once the server ends. */
const GRACE = 5000;
const MAX_HEADERS = 1 << 14;

export function httpServer(
  service: Parameters<typeof listener>[0],
  { headers = 10_000, request = 60_000 }: HttpTimes = {},
): HttpServer {
  const answers = new Gate();
  const listen = listener(service);
  const server = createServer(
    {
      headersTimeout: headers,
      requestTimeout: request,
      connectionsCheckingInterval: Math.min(1000, headers),
      maxHeaderSize: MAX_HEADERS,
      requireHostHeader: false, // the listener does, in JSON
    },
    (incoming, outgoing) => {
      answers.enter();
      outgoing.once("close", () => answers.leave());
      if (incoming.httpVersion === "1.0") incoming.headers.host ??= "localhost"; // which has no such header
      return listen(incoming, outgoing);
    },
  );
  server.on("clientError", refuseBytes);
  server.on("connect", (_, socket: Socket) => say(socket, 405, "there is no CONNECT"));
  server.on("checkExpectation", (_: IncomingMessage, outgoing: ServerResponse) => {
    const body = json(`expected "Expect: 100-continue" or none`);
    outgoing.writeHead(417, { "content-type": "application/json", "content-length": body.length }).end(body);
  });
  return {
    async listen(port, host) {
      await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, host, resolve));
      const { address, family, port: taken } = server.address() as AddressInfo;
      return `http://${family === "IPv6" ? `[${address}]` : address}:${taken}`;
    },
    async close(answered) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await answered;
      const slow = setTimeout(() => server.closeAllConnections(), GRACE);
      await answers.close();
      clearTimeout(slow);
      server.closeAllConnections(); // also those that have said nothing yet
      await closed;
    },
  };
}

const json = (error: string): string => JSON.stringify({ error });

/** What Node makes no request of. */
function refuseBytes(error: Error & { code?: string }, socket: Socket): void {
  const { _httpMessage: begun } = socket as { _httpMessage?: ServerResponse };
  if (!socket.writable || begun?.headersSent) {
    socket.destroy(); // nobody to tell, or in the middle of an answer
    return;
  }
  if (error.code === "HPE_HEADER_OVERFLOW") say(socket, 431, `expected headers of at most ${MAX_HEADERS} bytes`);
  else if (error.code === "HPE_CHUNK_EXTENSIONS_OVERFLOW") say(socket, 413, "expected chunks without long extensions");
  else if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") say(socket, 408, "expected the request to arrive sooner");
  else say(socket, 400, `expected a request in HTTP/1.1, got "${error.message}"`);
}

/** A whole answer, after which the connection is closed. */
function say(socket: Socket, status: number, error: string): void {
  const body = json(error);
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: application/json\r\n`;
  socket.write(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  socket.destroySoon();
}
