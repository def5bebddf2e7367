// What npm would publish: the tarball passes publint and attw, needs no other package, and holds what its exports promise.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FAMILIES } from "../scripts/build/kernels.mjs";
import { type Packed, pack } from "./packed.js";

let packed: Packed;
let home: string;
beforeAll(() => {
  packed = pack();
  home = join(packed.folder, "node_modules/lanewise");
}, 120_000);
afterAll(() => packed?.remove());

/** Runs a command of node_modules/.bin; its output is the error's message when it fails. */
function run(command: string, ...args: string[]): void {
  try {
    execFileSync(join("node_modules/.bin", command), args, { encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(" ")}\n${stdout}${stderr}`);
  }
}

const files = (ending: string) =>
  readdirSync(home, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(ending));

test("publint finds nothing, not even a suggestion", () => {
  run("publint", "run", packed.tarball, "--strict");
});

test("attw finds the types of every entry, for ES modules", () => {
  // A .wasm file is bytes: what importing it gives is the platform's to type.
  run(
    "attw",
    packed.tarball,
    "--profile",
    "esm-only",
    "--exclude-entrypoints",
    "kernels.wasm",
    "kernels.relaxed.wasm",
    "--no-definitely-typed",
  );
});

test("every file an export names is in the tarball", () => {
  const { exports } = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
  const named = Object.values(exports).flatMap((target) =>
    typeof target === "string" ? target : Object.values(target as object),
  );
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((path) => !existsSync(join(home, path)))).toEqual([]);
});

test("scripts and declarations import files of the package alone, and optional peers only when they are called for", () => {
  const { peerDependencies, peerDependenciesMeta } = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
  const optional = Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional);
  expect(optional).toEqual(Object.keys(peerDependencies));
  const imports = [...files(".js"), ...files(".d.ts")].flatMap((path) => {
    const text = readFileSync(join(home, path), "utf8");
    return [...text.matchAll(/\bfrom\s*"([^"\n]+)"|\bimport\s*(\()?\s*"([^"\n]+)"/g)].map((match) => ({
      path,
      specifier: match[1] ?? match[3],
      late: match[2] !== undefined,
    }));
  });
  expect(imports.length).toBeGreaterThan(5);
  // The command line is for Node, and writes Workers that import this package.
  const ofNode = (path: string, specifier: string) =>
    /^dist\/cli(-worker)?\.js$/.test(path) && /^node:|^lanewise(\/serve|\/data)?$/.test(specifier);
  const outside = imports.filter(({ path, specifier }) => !/^\.\.?\//.test(specifier) && !ofNode(path, specifier));
  expect(outside.filter(({ specifier, late }) => !(late && optional.includes(specifier)))).toEqual([]);
  expect(new Set(outside.map(({ specifier }) => specifier))).toEqual(new Set(optional));
});

test("importing lanewise loads three files: its entry, the base and the core", () => {
  const loaded = new Set(["dist/index.js"]);
  for (const path of loaded) {
    const imports = readFileSync(join(home, path), "utf8").matchAll(/ from "\.\/([^"]+)"/g);
    for (const [, name] of imports) loaded.add(`dist/${name}`);
  }
  expect(loaded.size).toBe(3);
});

test("the edge builds import the kernels as a module and carry no bytes to compile", () => {
  for (const [condition, suffix] of [
    ["workerd", ""],
    ["edge-light", "?module"],
  ]) {
    const scripts = files(".js").filter((path) => path.startsWith(`dist/${condition}/`));
    const text = scripts.map((path) => readFileSync(join(home, path), "utf8")).join("\n");
    for (const family of FAMILIES) expect(text).toContain(`from "../kernels.${family}.wasm${suffix}"`);
    expect(text).not.toContain("0061736d"); // a wasm module's first bytes
    expect(text).not.toContain("import.meta.url"); // bundlers look for the files that it would name
  }
});

test("the tarball holds the build and the licence, no sources and no tests", () => {
  const rest = files("").filter((path) => !/^dist(\/|$)/.test(path));
  expect(rest.sort()).toEqual(expect.arrayContaining(["LICENSE", "NOTICE", "package.json"]));
  expect(rest.filter((path) => !/^(LICENSE|NOTICE|README\.md|package\.json)$/.test(path))).toEqual([]);
});

test("package-lock.json holds every platform's optional packages, which npm leaves out when it only looks at this machine", () => {
  const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8"));
  const missing = Object.entries<{ optionalDependencies?: object }>(packages).flatMap(
    ([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`],
      ),
  );
  expect(missing).toEqual([]);
});
