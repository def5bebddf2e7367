// The peers' packages, installed when they are first asked for.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const HERE = new URL(".", import.meta.url);

/** Installs what package-lock.json names unless it is there; the versions by name. @throws {Error} when npm cannot */
export function install() {
  if (!installed()) run();
  return read("package.json").dependencies;
}

/** Whether node_modules has every package in the version that the lock file names. */
function installed() {
  try {
    const { packages } = read("package-lock.json");
    return Object.entries(packages).every(
      ([path, { version }]) => !path || read(`${path}/package.json`).version === version,
    );
  } catch {
    return false;
  }
}

function read(file) {
  return JSON.parse(readFileSync(new URL(file, HERE), "utf8"));
}

function run() {
  try {
    const args = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
    execFileSync("npm", args, { cwd: HERE, stdio: ["ignore", "ignore", "pipe"], encoding: "utf8" });
  } catch ({ stderr, message }) {
    const code = /npm error code (\w+)/.exec(stderr)?.[1] ?? message;
    throw new Error(`npm ci in bench/peers failed (${code}); it needs npm's registry or its cache`);
  }
}
