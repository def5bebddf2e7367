// Each layer of src/ imports only from what stands before it (types too), so that it can be read, tested and bundled without
// the rest. Neighbours in one layer may use each other, in one direction.
import { posix } from "node:path";
import { expect, test } from "vitest";
import { sources } from "./sources.js";

const LAYERS = [
  ["errors", "numbers", "shape", "tensor", "philox"],
  ["runtime", "graph"],
  ["ops"],
  ["passes"],
  ["program"],
  ["layers", "formats"],
  ["index"],
  ["train", "compress", "explain", "text", "data", "federated"],
  ["serve"],
  ["cli"],
];

const IMPORT = /^(?:import|export)\b[^"';]*?\bfrom\s+"(\.[^"]+)"|^import\s+"(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/gm;
const unit = (path: string) => path.split("/")[0].replace(/\.ts$/, "");
const level = (path: string) => LAYERS.findIndex((layer) => layer.includes(unit(path)));

const files = sources("src").filter(({ path }) => !path.endsWith(".d.ts"));
const imports = files.flatMap(({ path, text }) =>
  [...text.matchAll(IMPORT)].map((match) => {
    const to = posix.join(posix.dirname(path), match[1] ?? match[2] ?? match[3]).replace(/\.js$/, ".ts");
    return { from: path, to, typeOnly: /^(?:import|export)\s+type\b/.test(match[0]) };
  }),
);

test("every file of src/ belongs to a layer", () => {
  expect(files.map(({ path }) => path).filter((path) => level(path) < 0)).toEqual([]);
});

test("each layer imports only from what stands before it", () => {
  const outside = imports.filter(({ from, to }) => unit(from) !== unit(to));
  const upwards = outside.filter(({ from, to }) => level(to) > level(from));
  const mutual = outside.filter(({ from, to }) =>
    outside.some((other) => unit(other.from) === unit(to) && unit(other.to) === unit(from)),
  );
  expect(imports.length).toBeGreaterThan(0);
  expect([...upwards, ...mutual].map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
});

test("nothing reachable from src/index.ts imports passes/grad", () => {
  const reached = new Set(["index.ts"]);
  for (const path of reached) {
    for (const { from, to, typeOnly } of imports) if (from === path && !typeOnly) reached.add(to);
  }
  expect(reached.size).toBeGreaterThan(1);
  expect([...reached].filter((path) => /^passes\/grad\b/.test(path))).toEqual([]);
});
