// The package as its users get it: packed by npm, unpacked into a node_modules of its own.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Packed {
  /** A folder with `package.json` and `node_modules/lanewise`. */
  readonly folder: string;
  readonly tarball: string;
  /** The package's file that `specifier` ("lanewise/train") is under these conditions, relative to the folder. */
  resolve(specifier: string, conditions: readonly string[]): string;
  remove(): void;
}

type Target = string | { [condition: string]: Target };

/** Builds (npm runs `prepack`), packs and unpacks. */
export function pack(): Packed {
  const folder = mkdtempSync(join(tmpdir(), "lanewise-packed-"));
  execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], { stdio: ["ignore", "ignore", "inherit"] });
  const tarball = join(folder, readdirSync(folder).find((name) => name.endsWith(".tgz")) as string);
  const home = "node_modules/lanewise";
  mkdirSync(join(folder, home), { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", join(folder, home), "--strip-components=1"]);
  const manifest = { name: "user", private: true, type: "module", dependencies: { lanewise: "*" } };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  const { exports } = JSON.parse(readFileSync(join(folder, home, "package.json"), "utf8"));
  return {
    folder,
    tarball,
    resolve: (specifier, conditions) => {
      let target: Target = exports[specifier.replace("lanewise", ".")];
      while (typeof target === "object") {
        const choice = Object.keys(target).find((key) => key === "default" || conditions.includes(key));
        target = target[choice as string];
      }
      return join(home, target);
    },
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}
