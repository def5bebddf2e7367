// Biome cannot parse AssemblyScript's decorators on functions, so the layout that it holds elsewhere is held here.
import { expect, test } from "vitest";
import { sources } from "./sources.js";

const files = sources("assembly").map(({ path, text }) => [path, text]);

test.each(files)("assembly/%s: code of at most 120 columns, no tabs, no trailing spaces", (_, text) => {
  const bad = text.split("\n").filter((line) => {
    const code = line.replace(/\s*(\/\/|\/\*\*|^ \*).*/, ""); // prose may run a little over, as elsewhere
    return code.length > 120 || line.length > 140 || /\t|\s$/.test(line);
  });
  expect(bad).toEqual([]);
  expect(text).toMatch(/\S\n$/);
});
