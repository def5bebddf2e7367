// The readers on real files in ../shared, against the numbers that their READMEs state.
import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import {
  type CategoryColumn,
  type CsvOptions,
  csv,
  dataset,
  type NumberColumn,
  normalizer,
  standardize,
} from "../../src/data/index.js";

const folder = new URL("../../../shared/data/", import.meta.url);
// In CI a missing data set is a failure: reading the files reports it.
const present = existsSync(folder) || process.env.CI !== undefined;
const open = (name: string) => gunzipSync(readFileSync(new URL(`${name}.csv.gz`, folder)));

interface Facts {
  file: string;
  options: CsvOptions & { target: string | number };
  shape: [rows: number, features: number];
  /** How often each category or value of the target comes. */
  classes?: Record<string, number>;
}
const header = (count: number) => [...Array.from({ length: count }, (_, i) => `f${i}`), "class"];
const tables: Facts[] = [
  { file: "tabular/sonar", options: { target: -1 }, shape: [208, 60], classes: { M: 111, R: 97 } },
  { file: "tabular/ionosphere", options: { target: -1 }, shape: [351, 34], classes: { b: 126, g: 225 } },
  { file: "tabular/banknote_authentication", options: { target: -1 }, shape: [1372, 4], classes: { 0: 762, 1: 610 } },
  { file: "tabular/abalone", options: { target: "8" }, shape: [4177, 8] },
  { file: "digits/digits", options: { target: -1, types: { 64: "category" } }, shape: [1797, 64] },
  {
    file: "digits/iris",
    options: { target: "class", skipLines: 1, header: header(4) },
    shape: [150, 4],
    classes: { 0: 50, 1: 50, 2: 50 },
  },
  {
    file: "digits/wine_data",
    options: { target: -1, skipLines: 1 },
    shape: [178, 13],
    classes: { 0: 59, 1: 71, 2: 48 },
  },
  {
    file: "digits/breast_cancer",
    options: { target: -1, skipLines: 1 },
    shape: [569, 30],
    classes: { 0: 212, 1: 357 },
  },
  { file: "timeseries/airline-passengers", options: { target: "Passengers", columns: ["Month"] }, shape: [144, 1] },
  { file: "timeseries/monthly-sunspots", options: { target: "Sunspots" }, shape: [2820, 1] },
  { file: "timeseries/daily-min-temperatures", options: { target: "Temp" }, shape: [3650, 1] },
  { file: "timeseries/nab_nyc_taxi", options: { target: "value" }, shape: [10320, 1] },
  { file: "timeseries/nab_machine_temperature_system_failure", options: { target: "value" }, shape: [22695, 1] },
];
const others = 4;

if (!present) console.warn(`SKIPPED ${tables.length + others} tests: no data in ${folder.pathname}`);

test.skipIf(!present).each(tables)("$file reads as its README says", ({ file, options, shape, classes }) => {
  const { x, y, names, columns } = csv(open(file), options);
  expect(x.shape).toEqual(shape);
  expect(y.shape[0]).toBe(shape[0]);
  expect(y.data.every(Number.isFinite)).toBe(true);
  if (!classes) return;
  const target = columns[names[names.length - 1]];
  const label = (v: number) => (target.type === "category" ? target.names[v] : String(v));
  const counts: Record<string, number> = {};
  for (const v of y.data) counts[label(v)] = (counts[label(v)] ?? 0) + 1;
  expect(counts).toEqual(classes);
});

test.skipIf(!present)("abalone's sex is a category, its rings are whole", () => {
  const { columns } = csv(open("tabular/abalone"));
  expect((columns["0"] as CategoryColumn).names).toEqual(["F", "I", "M"]);
  const { values } = columns["8"] as NumberColumn;
  expect([Math.min(...values), Math.max(...values), values.every(Number.isInteger)]).toEqual([1, 29, true]);
});

test.skipIf(!present)("diabetes' columns, separated by spaces, are centred and their squares sum to 1", () => {
  const { columns, names, rows } = csv(open("digits/diabetes_data"), { delimiter: " " });
  expect([rows, names.length]).toEqual([442, 10]);
  for (const name of names) {
    const { values } = columns[name] as NumberColumn;
    expect(values.reduce((a, v) => a + v, 0)).toBeCloseTo(0, 9);
    expect(values.reduce((a, v) => a + v * v, 0)).toBeCloseTo(1, 9);
  }
  const { y } = csv(open("digits/diabetes_target"), { target: 0 });
  expect([y.shape, Math.min(...y.data), Math.max(...y.data)]).toEqual([[442, 1], 25, 346]);
});

test.skipIf(!present)("digits: the nearest class mean is right for 710 of the last 797", async () => {
  const table = csv(open("digits/digits"), { target: -1 });
  const [train, test] = dataset(table).split(1000);
  const sums = Array.from({ length: 10 }, () => ({ count: 0, of: new Float64Array(64) }));
  for await (const { x, y } of train) {
    const sum = sums[y.data[0]];
    sum.count++;
    x.data.forEach((v, i) => {
      sum.of[i] += v;
    });
  }
  const distance = (x: ArrayLike<number>, { count, of }: (typeof sums)[0]) =>
    of.reduce((a, s, i) => a + (x[i] - s / count) ** 2, 0);
  let right = 0;
  for await (const { x, y } of test) {
    const distances = sums.map((sum) => distance(x.data, sum));
    if (distances.indexOf(Math.min(...distances)) === y.data[0]) right++;
  }
  expect(right).toBe(710);
});

test.skipIf(!present)("wine, standardised by its own numbers, has mean 0 and variance 1 in every column", () => {
  const { x } = csv(open("digits/wine_data"), { target: -1, skipLines: 1 });
  const again = normalizer(standardize(x, normalizer(x)));
  for (const mean of again.mean) expect(Math.abs(mean)).toBeLessThan(1e-6);
  for (const variance of again.variance) expect(variance).toBeCloseTo(1, 6);
});
