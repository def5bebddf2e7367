// The entry in Node, Deno and Bun: imports by the package's name, prints one line of JSON.
import { readFile } from "node:fs/promises";
import * as lanewise from "lanewise";
import * as data from "lanewise/data";
import * as int8 from "lanewise/int8";
import * as train from "lanewise/train";
import { report } from "./report.mjs";

const scalar = await readFile(new URL("./kernels.scalar.wasm", import.meta.url));
console.log(JSON.stringify(await report({ ...lanewise, ...int8 }, train, data, scalar)));
