// workerd, the open-source runtime of Cloudflare Workers: a configuration with the package's files as they are, one request.
import { execFileSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join, posix, resolve } from "node:path";
import type { Readable } from "node:stream";
import { FAMILIES } from "../../scripts/build/kernels.mjs";
import type { Packed } from "../packed.js";
import { answer, type Process, type Report, type Runtime, start } from "./runtime.js";

const binary = resolve("node_modules/.bin/workerd");
const CONDITIONS = ["workerd", "worker", "import"]; // what wrangler bundles a worker with, but for "browser"

export const version = () => execFileSync(binary, ["--version"], { encoding: "utf8" }).trim().replace("workerd ", "");

export function workerd(packed: () => Packed): Runtime {
  return {
    name: "workerd",
    missing: "npm ci installs it",
    version,
    run: async (folder) => {
      const entries = { lanewise: "lanewise", train: "lanewise/train", data: "lanewise/data", int8: "lanewise/int8" };
      const lines = Object.entries(entries).map(
        ([name, specifier]) => `export * as ${name} from "./${packed().resolve(specifier, CONDITIONS)}";`,
      );
      writeFileSync(join(folder, "entries.mjs"), lines.join("\n"));
      const server = await serve(folder, modules(folder, packed().resolve("lanewise", CONDITIONS)));
      try {
        const response = await answer(fetch(server.url), server.process);
        return (await answer(response.json(), server.process)) as Report;
      } finally {
        await server.process.kill();
      }
    },
  };
}

/**
 * workerd with one worker made of these files of `folder`; the first is its main module.
 * @param kv port of a server that is the KV namespace MODELS (examples/worker/kv.mjs)
 */
export async function serve(folder: string, paths: string[], kv?: number): Promise<{ url: string; process: Process }> {
  writeFileSync(join(folder, "config.capnp"), configuration(paths, kv));
  // Compiled beforehand: reading the text takes the process milliseconds and megabytes, the more the larger its files are.
  const compiled = execFileSync(binary, ["compile", "--config-only", "config.capnp"], {
    cwd: folder,
    maxBuffer: 2 ** 28,
  });
  writeFileSync(join(folder, "config.bin"), compiled);
  const running = start(binary, ["serve", "--binary", "config.bin", "--control-fd=3"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  try {
    const port = await answer(listening(running.child.stdio[3] as Readable), running, 30);
    return { url: `http://127.0.0.1:${port}/`, process: running };
  } catch (error) {
    await running.kill();
    throw error;
  }
}

/** Every script beside the package's main entry, its kernels, and the files of the test. */
function modules(folder: string, entry: string): string[] {
  const home = posix.dirname(entry);
  const scripts = readdirSync(join(folder, home)).filter((name) => name.endsWith(".js"));
  return [
    ...["worker.mjs", "entries.mjs", "report.mjs", "scenario.mjs", "sha256.mjs", "kernels.scalar.wasm"],
    ...scripts.map((name) => posix.join(home, name)),
    ...FAMILIES.map((family) => posix.join(home, `../kernels.${family}.wasm`)),
  ];
}

function configuration(paths: string[], kv: number | undefined): string {
  const list = paths.map((path) => {
    const kinds: Record<string, string> = { wasm: "wasm", js: "esModule", mjs: "esModule", html: "text" };
    const kind = kinds[path.split(".").at(-1) as string] ?? "data";
    return `(name = "${path}", ${kind} = embed "${path}")`;
  });
  const store = kv === undefined ? "" : `, (name = "kv", external = (address = "127.0.0.1:${kv}", http = ()))`;
  const bindings = kv === undefined ? "" : `\n  bindings = [ (name = "MODELS", kvNamespace = "kv") ],`;
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ (name = "main", worker = .worker)${store} ],
  sockets = [ (name = "http", address = "127.0.0.1:0", http = (), service = "main") ],
);
const worker :Workerd.Worker = (
  compatibilityDate = "2026-01-01",${bindings}
  modules = [
    ${list.join(",\n    ")},
  ],
);
`;
}

/** The port that workerd chose, from the line of JSON it writes on its control channel. */
function listening(control: Readable): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = "";
    control.on("data", (bytes) => {
      said += bytes;
      for (const line of said.split("\n").slice(0, -1)) {
        const event = JSON.parse(line);
        if (event.event === "listen") resolve(event.port);
      }
    });
    control.on("error", reject);
  });
}
