// A Worker as wrangler would upload it: one module with the package's edge build in it, kernels and models beside it.
import { copyFileSync, readdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { build } from "esbuild";
import { type Process, start } from "../../runtimes/runtime.js";
import { serve } from "../../runtimes/workerd.js";

export type Deployed = { url: string; process: Process };

/** @param folder gets what is deployed @param entry the Worker's module @param models files that it imports as data, in `folder` too */
export async function deploy(folder: string, entry: string, models: readonly string[]): Promise<Deployed> {
  const dist = { lanewise: "index", "lanewise/serve": "serve" };
  await build({
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    alias: Object.fromEntries(Object.entries(dist).map(([name, file]) => [name, resolve(`dist/workerd/${file}.js`)])),
    external: ["*.wasm", "*.safetensors"],
    outfile: join(folder, "deployed/worker.mjs"),
    logLevel: "error",
  });
  for (const model of models) copyFileSync(model, join(folder, "deployed", basename(model)));
  const kernels = readdirSync("dist").filter((name) => /^kernels\.\w+\.wasm$/.test(name));
  for (const name of kernels) copyFileSync(join("dist", name), join(folder, name));
  const data = models.map((model) => `deployed/${basename(model)}`);
  return serve(folder, ["deployed/worker.mjs", ...data, ...kernels]);
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
