// Type-checks src/ and writes its declarations to dist/types (tsconfig.build.json).
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { at } from "./files.mjs";

export async function declareTypes() {
  const draft = mkdtempSync(at("node_modules/.types-"));
  try {
    const args = [at("node_modules/typescript/bin/tsc"), "-p", at("tsconfig.build.json"), "--outDir", draft];
    const { status } = spawnSync(process.execPath, args, { cwd: at("."), stdio: "inherit" });
    if (status !== 0) throw new Error("the type-check of src/ failed");
    chmodSync(draft, 0o755); // a temporary folder is its owner's alone
    rmSync(at("dist/types"), { recursive: true, force: true });
    renameSync(draft, at("dist/types"));
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
