// `npm test`: everything that must hold, each check run even if one before it failed, and the total on the last line.
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { at, exists } from "./build/files.mjs";

const RESULTS = at("build/test-results.json");
const REPORTERS = ["--reporter=default", "--reporter=json", `--outputFile.json=${RESULTS}`];
const bin = (name) => at(`node_modules/.bin/${name}`);
const checks = [
  ["build", process.execPath, [at("scripts/build.mjs")]],
  ["lint and format (biome)", bin("biome"), ["ci", ".", `--colors=${process.stdout.isTTY ? "force" : "off"}`]],
  ["types (tsc)", bin("tsc"), ["-p", at("tsconfig.json")]],
  ["size", process.execPath, [at("scripts/size.mjs")]],
  ["tests (vitest)", bin("vitest"), ["run", ...REPORTERS, ...process.argv.slice(2)]],
];

rmSync(RESULTS, { force: true });
const failed = checks.filter(([name, command, args]) => {
  console.log(`\n== ${name}`);
  return spawnSync(command, args, { cwd: at("."), stdio: "inherit" }).status !== 0;
});

const vitest = exists(RESULTS) ? JSON.parse(readFileSync(RESULTS, "utf8")) : { testResults: [] };
const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0, testResults } = vitest;
const unloaded = testResults.filter(
  ({ status, assertionResults }) => status === "failed" && assertionResults.length === 0,
);
const others = failed.filter(([name]) => name !== "tests (vitest)");
const passed = numPassedTests + checks.length - 1 - others.length;
const failures = numFailedTests + unloaded.length + others.length;

console.log(`\n== total${failed.length > 0 ? `; failed: ${failed.map(([name]) => name).join(", ")}` : ""}`);
console.log(`${passed} passed, ${Math.max(failures, failed.length)} failed, ${numPendingTests} skipped`);
process.exitCode = failed.length > 0 ? 1 : 0;
