// lanewise serve: files and stores behind HTTP, on Node's server, until a signal ends it.
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import type { Command } from "commander";
import { startPool } from "./pool.js";
import { service } from "./service.js";
import { integer, UsageError } from "./usage.js";

interface ServeOptions {
  port: number;
  host: string;
  maxBatch?: number;
  maxWait?: number;
  cors?: string;
  metrics?: boolean;
  tokens?: string;
  workers?: number;
  json?: boolean;
}

export function addServe(program: Command): void {
  program
    .command("serve")
    .description("serve models by the Open Inference Protocol v2: a file under its base name, a folder as a store")
    .argument("<path...>", "files of models (safetensors, TFLite) and folders that are stores")
    .option("--port <n>", "0 takes a free one", integer("port", 0, 65535), 8080)
    .option("--host <address>", "where it listens", "127.0.0.1")
    .option("--max-batch <n>", "samples that are predicted together at most", integer("max-batch", 1))
    .option("--max-wait <ms>", "milliseconds that a request waits for others", integer("max-wait", 0))
    .option("--cors <origin>", 'who may ask from a page of another origin; "*" is everyone')
    .option("--tokens <file>", "bearer tokens, one a line, of which every request must bring one")
    .option("--metrics", "Prometheus' text format at /metrics")
    .option(
      "--workers <n>",
      "threads that serve, each with its own models; more than 1 needs tinypool",
      integer("workers", 1),
    )
    .option("--json", "the address as JSON on standard output")
    .action(serve);
}

async function serve(paths: string[], options: ServeOptions): Promise<void> {
  const { workers = 1, metrics } = options;
  if (workers > 1 && metrics) throw new UsageError("--metrics: expected one worker, as each would count for itself");
  const given = { ...options, paths };
  const { fetch, models } = await service(given);
  const pool = workers > 1 ? await startPool(given, workers) : undefined;
  const answer = pool?.fetch ?? ((request: Request) => fetch(request));
  const server = createAdaptorServer({ fetch: answer });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: Error & { code?: string }) => {
      const reason = error.code === "EADDRINUSE" ? "the port is taken" : error.message;
      reject(new UsageError(`${options.host}:${options.port}: ${reason}`));
    });
    server.listen(options.port, options.host, resolve);
  });
  const { address, family, port } = server.address() as AddressInfo;
  const url = `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
  const names = await models.list();
  if (options.json) console.log(JSON.stringify({ url, models: names }));
  console.error(`lanewise: serving ${names.join(", ") || "a store without models"} on ${url}`);
  await ended();
  // No new connections; requests under way are answered; what then is idle is closed.
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  await (pool ?? fetch).close();
  const idle = setInterval(() => "closeIdleConnections" in server && server.closeIdleConnections(), 20);
  await closed;
  clearInterval(idle);
  await pool?.destroy();
}

/** The first signal ends gracefully; the second one at once, as ever. */
const ended = () =>
  new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
