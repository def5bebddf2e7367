// Compiles the kernels if they changed, so that `npx vitest run test/one.test.ts` always tests what is in the sources.
import { execFileSync } from "node:child_process";

export default function setup(): void {
  execFileSync(process.execPath, ["scripts/build.mjs", "--kernels"], { stdio: "inherit" });
}
