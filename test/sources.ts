// The source files as text, for the tests that hold them to a rule.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

export interface Source {
  /** Relative to the folder: "ops/conv2d.ts". */
  readonly path: string;
  readonly text: string;
}

/** Every .ts file below `folder` that is written by hand. */
export function sources(folder: string): Source[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.includes(".generated."))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path: relative(folder, path).replaceAll("\\", "/"), text: readFileSync(path, "utf8") }));
}
