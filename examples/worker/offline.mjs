// `npm run offline`: bundles the service worker with model and page into two static files, and serves these.
//   node offline.mjs [PORT] [FOLDER]    any static host will do; the server may go once the page has been there
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { model } from "./model.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const port = Number(process.argv[2] ?? 8787);
const out = process.argv[3] ?? fileURLToPath(new URL("out/offline", import.meta.url));

model();
mkdirSync(out, { recursive: true });
await build({
  entryPoints: [`${here}service-worker.js`],
  outfile: `${out}/service-worker.js`,
  bundle: true,
  minify: true,
  format: "iife",
  define: { "import.meta.url": "location.href" },
  conditions: ["browser"],
  loader: { ".safetensors": "binary", ".html": "text" },
  logLevel: "error",
});
copyFileSync(`${here}install.html`, `${out}/index.html`);

const types = { "/": ["index.html", "text/html"], "/service-worker.js": ["service-worker.js", "text/javascript"] };
createServer(({ url }, response) => {
  const [name, type] = types[url] ?? [];
  if (name === undefined) response.writeHead(404).end();
  else response.writeHead(200, { "content-type": type }).end(readFileSync(`${out}/${name}`));
}).listen(port, "127.0.0.1", () => console.error(`http://127.0.0.1:${port}`));
