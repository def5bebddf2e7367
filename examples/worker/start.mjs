// `npm run example:worker`: trains the model unless it is there, bundles the Worker as wrangler does, and runs it on workerd.
import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { model } from "./model.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("../..", import.meta.url));
const out = `${root}out/worker`;
const port = Number(process.argv[2] ?? 8787);

model();
mkdirSync(`${out}/worker`, { recursive: true });
const { metafile } = await build({
  entryPoints: [`${here}worker.js`],
  outfile: `${out}/worker/worker.js`,
  bundle: true,
  minify: true,
  format: "esm",
  conditions: ["workerd", "worker", "browser"],
  external: ["*.wasm", "*.safetensors", "*.html"],
  metafile: true,
  logLevel: "error",
});
for (const name of ["digits.safetensors", "page.html"]) copyFileSync(`${here}${name}`, `${out}/worker/${name}`);
const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => basename(path)));
const kernels = imports.filter((name) => name.endsWith(".wasm"));
for (const name of kernels) copyFileSync(`${root}dist/${name}`, `${out}/${name}`);
const files = ["worker/worker.js", "worker/digits.safetensors", "worker/page.html", ...kernels];
const kinds = { js: "esModule", wasm: "wasm", html: "text", safetensors: "data" };
const modules = files.map((file) => `(name = "${file}", ${kinds[file.split(".").pop()]} = embed "${file}")`);
writeFileSync(
  `${out}/config.capnp`,
  `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ (name = "main", worker = .worker) ],
  sockets = [ (name = "http", address = "127.0.0.1:${port}", http = (), service = "main") ],
);
const worker :Workerd.Worker = (
  compatibilityDate = "2026-01-01",
  modules = [ ${modules.join(", ")} ],
);
`,
);
const workerd = spawn(`${root}node_modules/.bin/workerd`, ["serve", "config.capnp"], { cwd: out, stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => workerd.kill(signal));
workerd.on("exit", (code) => {
  process.exitCode = code ?? 0;
});
console.error(`http://127.0.0.1:${port}`);
