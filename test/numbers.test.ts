// The same bits everywhere: ECMAScript leaves the last bits of these functions to the engine, so numbers come from the kernels.
import { transformSync } from "esbuild";
import { expect, test } from "vitest";
import { sources } from "./sources.js";

const ENGINE_DEFINED =
  /\bMath\s*\.\s*(?:a?(?:cos|sin|tan)h?|atan2|cbrt|expm?1?|hypot|log(?:2|10|1p)?|pow|random)\b|\b__pow\b|\bconst\s*\{[^}]*\}\s*=\s*Math\b/g;

/** What a file calls that engines may round differently. */
function engineDefined(code: string): string[] {
  // esbuild drops comments and types, and turns `**` into __pow. Powers of two are exact in every engine.
  const { code: plain } = transformSync(code, { loader: "ts", target: "es2015" });
  return plain.replace(/^var __pow = Math\.pow;$|\b__pow\(2, -?\d+\)/gm, "").match(ENGINE_DEFINED) ?? [];
}

const files = sources("src").filter(({ path }) => !path.endsWith(".d.ts"));

test.each(files.map(({ path, text }) => [path, text]))(
  "src/%s uses no function whose bits engines choose",
  (_, text) => {
    expect(engineDefined(text)).toEqual([]);
  },
);

test("the search finds calls, powers and destructuring, and leaves comments and exact functions alone", () => {
  expect(engineDefined("export const f = (x: number) => Math.exp(x) + Math.log1p(x) + Math.random();")).toHaveLength(3);
  expect(engineDefined("export const f = (x: number, y: number) => x ** y;")).toHaveLength(1);
  expect(engineDefined("const { tanh } = Math; export const f = tanh;")).toHaveLength(1);
  expect(engineDefined("/** Math.exp(x) */ export const f = (x: number) => Math.sqrt(x) + 2 ** -24;")).toEqual([]);
});
