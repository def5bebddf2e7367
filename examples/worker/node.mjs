// On Node: model and page are files beside this one. Other platforms' servers differ in the last line, and in where it is from.
import { readFile } from "node:fs/promises";
import { serve } from "@hono/node-server";
import { load } from "lanewise";
import { app } from "./app.js";

const file = (name) => readFile(new URL(name, import.meta.url));
const fetch = app({ digits: async () => load(await file("digits.safetensors")) }, await file("page.html"));
const port = Number(process.argv[2] ?? 8787);
serve({ fetch, port, hostname: "127.0.0.1" });
