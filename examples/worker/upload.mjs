// `npm run upload`: publishes the model into the KV namespace that wrangler.toml names, where the Worker finds it within a minute.
//   node upload.mjs [VERSION]    default 1; the one before stays in the namespace, and `rollback` goes back to it
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { published } from "./model.mjs";

const { values } = await published(process.argv[2] ?? "1");
const file = fileURLToPath(new URL("values.json", import.meta.url));
const list = [...values].map(([key, bytes]) => ({ key, value: bytes.toString("base64"), base64: true }));
writeFileSync(file, JSON.stringify(list));
try {
  execFileSync("npx", ["wrangler", "kv", "bulk", "put", file, "--binding", "MODELS", "--remote"], { stdio: "inherit" });
} finally {
  rmSync(file);
}
