// `npm run upload`: publishes the model into the KV namespace that wrangler.toml names, where the Worker finds it within a minute.
//   node upload.mjs [VERSION] [--local]    default 1; a version before it stays there; --local is the namespace of `wrangler dev`
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { published } from "./model.mjs";

const isLocal = process.argv.includes("--local");
const version = process.argv.slice(2).find((word) => word !== "--local") ?? "1";
const { values } = await published(version);
const folder = mkdtempSync(join(tmpdir(), "lanewise-upload-"));
const file = join(folder, "value");
try {
  // In the order of `publish`: a version is there when its manifest is, and serves when it is the current one.
  for (const [key, bytes] of values) {
    writeFileSync(file, bytes);
    const put = ["wrangler", "kv", "key", "put", key, "--path", file, "--binding", "MODELS"];
    execFileSync("npx", [...put, isLocal ? "--local" : "--remote"], { stdio: "inherit" });
  }
} finally {
  rmSync(folder, { recursive: true });
}
