// lanewise serve: files and stores behind HTTP, on Node's server, until a signal ends it.
import type { Command } from "commander";
import { httpServer } from "./http.js";
import { startPool } from "./pool.js";
import { type ServiceOptions, service } from "./service.js";
import { integer, UsageError } from "./usage.js";

interface ServeOptions extends Omit<ServiceOptions, "paths"> {
  port: number;
  host: string;
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
    .option(
      "--refresh <ms>",
      "milliseconds after which folders are asked for new versions",
      integer("refresh", 0),
      30_000,
    )
    .option("--verify <file>", "an Ed25519 public key (PEM): models in folders must be signed with it")
    .option("--decrypt <file>", "the AES key (base64) of encrypted models in folders")
    .option("--metrics", "Prometheus' text format at /metrics")
    .option(
      "--workers <n>",
      "threads that serve, each with its own models; more than 1 needs tinypool",
      integer("workers", 1),
    )
    .option("--json", "the address as JSON on standard output")
    .action(run);
}

async function run(paths: string[], options: ServeOptions): Promise<void> {
  const { workers = 1 } = options;
  const given = { ...options, paths };
  const { serve, models, reload } = await service(given);
  const pool = workers > 1 ? await startPool(given, workers, serve) : undefined;
  const server = httpServer(pool ?? serve);
  const url = await server.listen(options.port, options.host).catch((error: Error & { code?: string }) => {
    const reason = error.code === "EADDRINUSE" ? "the port is taken" : error.message;
    throw new UsageError(`${options.host}:${options.port}: ${reason}`);
  });
  const names = await models.list();
  const end = ended(); // whoever reads the address may send signals
  // A terminal that is closed sends it too, and then means the end.
  if (!process.stdin.isTTY) process.on("SIGHUP", () => (pool ? pool.reload() : reload()));
  if (options.json) console.log(JSON.stringify({ url, models: names }));
  console.error(`lanewise: serving ${names.join(", ") || "a store without models"} on ${url}`);
  await end;
  await server.close(Promise.all([serve.close(), pool?.close()]));
  await pool?.destroy();
}

/** The first signal ends gracefully; the second one at once, as ever. */
const ended = () =>
  new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
