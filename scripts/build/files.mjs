// Paths inside the repository, and writing that never leaves half a file behind for a build running beside this one.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export const at = (path) => join(ROOT, path);
export const exists = existsSync;

/** Every file below a folder, sorted, without what the build itself generates. */
export function filesUnder(folder) {
  return readdirSync(at(folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.includes(".generated."))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Writes only what differs, through a rename: readers see the old file or the new one. */
export function writeIfChanged(path, content) {
  if (existsSync(path) && readFileSync(path).equals(Buffer.from(content))) return;
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.tmp`;
  writeFileSync(draft, content);
  renameSync(draft, path);
}
