// The same service in Deno and Bun, on their own servers; prints the port.
import { readFile } from "node:fs/promises";
import { load } from "lanewise";
import { everyLayer, handler } from "lanewise/serve";

const names = process.argv.slice(2);
const open = (name) => async () =>
  load(await readFile(new URL(`./${name}.safetensors`, import.meta.url)), { layers: everyLayer });
const serve = handler({ models: Object.fromEntries(names.map((name) => [name, open(name)])) });
const fetch = (request) => serve(request);
const address = { hostname: "127.0.0.1", port: 0 };
const { Bun, Deno } = globalThis;
const { port } = Bun ? Bun.serve({ ...address, fetch }) : Deno.serve({ ...address, onListen() {} }, fetch).addr;
console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` }));
