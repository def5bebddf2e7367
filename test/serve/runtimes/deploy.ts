// A Worker as wrangler would upload it: one module with the package's edge build in it, kernels and models beside it.
import { copyFileSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { type Process, start } from "../../runtimes/runtime.js";
import { serve } from "../../runtimes/workerd.js";

export interface Deployed {
  url: string;
  process: Process;
  /** Of all that a Worker is made of, gzipped. */
  bytes?: number;
}

/**
 * @param folder gets what is deployed
 * @param entry the Worker's module
 * @param models files that it imports as data, in `folder` too
 * @param kv port of a server that is its KV namespace MODELS
 */
export async function deploy(folder: string, entry: string, models: readonly string[], kv?: number): Promise<Deployed> {
  const { files, bytes } = await bundle(folder, entry, models);
  return { ...(await serve(folder, files, kv)), bytes };
}

/** The files of a Worker in `folder`, its module first, and what they are gzipped. */
export async function bundle(
  folder: string,
  entry: string,
  models: readonly string[],
): Promise<{ files: string[]; bytes: number }> {
  const dist = { lanewise: "index", "lanewise/serve": "serve" };
  const { metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    alias: Object.fromEntries(Object.entries(dist).map(([name, file]) => [name, resolve(`dist/workerd/${file}.js`)])),
    external: ["*.wasm", "*.safetensors", "*.html"],
    outfile: join(folder, "deployed/worker.mjs"),
    minify: true,
    metafile: true,
    logLevel: "error",
  });
  for (const model of models) copyFileSync(model, join(folder, "deployed", basename(model)));
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => basename(path)));
  const kernels = [...new Set(imports.filter((name) => name.endsWith(".wasm")))];
  for (const name of kernels) copyFileSync(join("dist", name), join(folder, name));
  const data = models.map((model) => `deployed/${basename(model)}`);
  const files = ["deployed/worker.mjs", ...data, ...kernels];
  const bytes = gzipSync(Buffer.concat(files.map((file) => readFileSync(join(folder, file)))), { level: 9 }).length;
  return { files, bytes };
}

/** A server that prints one line of JSON with its address. */
export async function launch(command: string, args: readonly string[], folder: string): Promise<Deployed> {
  const env = { ...process.env, NODE_OPTIONS: "", DENO_DIR: join(folder, ".deno"), DENO_NO_UPDATE_CHECK: "1" };
  const running = start(command, args, { cwd: folder, env });
  const line = await new Promise<string>((resolve, reject) => {
    running.child.stdout?.on("data", () => running.stdout().includes("\n") && resolve(running.stdout()));
    running.ended.then((code) => reject(new Error(`${command} ended with ${code}\n${running.stderr()}`)), reject);
  });
  return { url: JSON.parse(line).url, process: running };
}
