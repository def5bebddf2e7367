// `npm start`: trains the model unless it is there, publishes it into a KV namespace of this process, bundles the Worker as wrangler does, and runs
// it on workerd.
//   node start.mjs [PORT] [MAIN]    default 8787 worker.js; bundled.js has the model in the bundle
import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import runtime from "workerd";
import { published } from "./model.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = `${here}out`;
const [port, main] = [Number(process.argv[2] ?? 8787), process.argv[3] ?? "worker.js"];

const { listen } = await published();
const kv = await listen();
mkdirSync(`${out}/worker`, { recursive: true });
const { metafile } = await build({
  entryPoints: [`${here}${main}`],
  outfile: `${out}/worker/worker.js`,
  bundle: true,
  minify: true,
  format: "esm",
  conditions: ["workerd", "worker", "browser"],
  external: ["*.wasm", "*.safetensors", "*.html"],
  metafile: true,
  logLevel: "error",
});
const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path));
const dist = fileURLToPath(new URL("dist/", import.meta.resolve("lanewise/package.json")));
const files = imports.map((path) => {
  const name = basename(path);
  const file = name.endsWith(".wasm") ? name : `worker/${name}`;
  copyFileSync(`${name.endsWith(".wasm") ? dist : here}${name}`, `${out}/${file}`);
  return file;
});
const kinds = { js: "esModule", wasm: "wasm", html: "text", safetensors: "data" };
const modules = ["worker/worker.js", ...new Set(files)].map(
  (file) => `(name = "${file}", ${kinds[file.split(".").pop()]} = embed "${file}")`,
);
writeFileSync(
  `${out}/config.capnp`,
  `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "kv", external = (address = "127.0.0.1:${kv.address().port}", http = ())),
  ],
  sockets = [ (name = "http", address = "127.0.0.1:${port}", http = (), service = "main") ],
);
const worker :Workerd.Worker = (
  compatibilityDate = "2026-01-01",
  bindings = [ (name = "MODELS", kvNamespace = "kv") ],
  modules = [ ${modules.join(", ")} ],
);
`,
);
const workerd = spawn(runtime.default, ["serve", "config.capnp"], { cwd: out, stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => workerd.kill(signal));
workerd.on("exit", (code) => {
  process.exitCode = code ?? 0;
  kv.close();
});
console.error(`http://127.0.0.1:${port}`);
