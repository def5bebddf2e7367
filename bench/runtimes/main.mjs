// The entry in Deno and Bun: options as JSON in the first argument, rows as JSON on standard output.
import { readFile } from "node:fs/promises";
import { bench } from "./portable.mjs";

const roofs = await WebAssembly.compile(await readFile(new URL("./roofs.wasm", import.meta.url)));
console.log(JSON.stringify(await bench(roofs, JSON.parse(process.argv[2]))));
