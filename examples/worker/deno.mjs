// On Deno: model and page are files beside this one. Other platforms' servers differ in the last line.
import { readFile } from "node:fs/promises";
import { load } from "lanewise";
import { app } from "./app.js";

const file = (name) => readFile(new URL(name, import.meta.url));
const fetch = app({ digits: async () => load(await file("digits.safetensors")) }, await file("page.html"));
const port = Number(process.argv[2] ?? 8787);
Deno.serve({ port, hostname: "127.0.0.1" }, (request) => fetch(request));
