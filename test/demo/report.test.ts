import { expect, test } from "vitest";
import { barChart, fileSize, inkImage, learningCurve, mistakes, tradeOff } from "../../examples/demo/charts.mjs";
import { report } from "../../examples/demo/report.mjs";

const findings = {
  title: "Half of 4 digits",
  lead: "Made up.",
  facts: [{ name: "Test accuracy", value: "50 %", note: "4 images" }],
  history: {
    train: {
      loss: [point(0.5, 2), point(1, 1), point(2, 0.1)],
      accuracy: [point(0.5, 0.1), point(1, 0.8), point(2, 1)],
    },
    epochs: [
      { loss: 1.5, accuracy: 0.5, valLoss: 1.2, valAccuracy: 0.6, seconds: 1 },
      { loss: 0.1, accuracy: 1, valLoss: 0.4, valAccuracy: 0.9, seconds: 1 },
    ],
  },
  models: [made("large", 500_000, 0.99, 0.07), made("<small>", 20_000, 0.9, 0.0049)],
  confusion: [
    [1, 2],
    [0, 1],
  ],
  classNames: ["<0>", "1"],
  misclassified: [
    { pixels: new Float32Array(784).fill(1, 30, 35), width: 28, actual: 0, predicted: 1, probability: 0.75 },
  ],
  footer: "Made by a test.",
};

function point(x: number, y: number) {
  return { x, y };
}

function made(name: string, fileBytes: number, accuracy: number, milliseconds: number | null) {
  const sizes = { parameters: 1000, nonZero: 999, macs: 12345, fileBytes, gzipBytes: 4000, memoryBytes: 2e6 };
  return { name, how: "by hand", ...sizes, accuracy, agreement: 0.875, milliseconds };
}

const matrix = (a: number, b: number, c: number, d: number) => [
  [a, b],
  [c, d],
];

/** Throws unless every element is closed where it should be; enough of an XML check for markup without attributes that hold ">". */
function balanced(markup: string): number {
  const open: string[] = [];
  let elements = 0;
  for (const [, close, name, empty] of markup.matchAll(/<(\/?)([a-z][\w-]*)[^>]*?(\/?)>/gi)) {
    if (close) expect(open.pop(), `closes </${name}>`).toBe(name);
    else if (!empty && name !== "meta") open.push(name);
    elements++;
  }
  expect(open).toEqual([]);
  return elements;
}

test("the report is one well-formed page without scripts or anything from outside", () => {
  const page = report(findings);
  expect(page.startsWith("<!doctype html>")).toBe(true);
  expect(balanced(page.replace("<!doctype html>", ""))).toBeGreaterThan(80);
  expect(page).not.toMatch(/<script|<link|<img|https?:|url\((?!#)|@import/);
  expect(page).not.toMatch(/NaN|undefined|Infinity/);
});

test("the report shows what it is given, with markup in names made harmless", () => {
  const page = report(findings);
  for (const said of ["Half of 4 digits", "Made up.", "50 %", "4 images", "Made by a test.", "2 times", "75 %"]) {
    expect(page).toContain(said);
  }
  for (const said of ["by hand", "99.9 %", "12,345", "2 MB", "87.5 %", "4.9 µs<small>7.0 %</small>"])
    expect(page).toContain(said.replace("7.0 %", "7 %"));
  expect(page).not.toContain("<small>:");
  expect(page).not.toContain("<0>");
  expect(page).toContain("&#60;0&#62; read as 1: 2 of 3");
});

test("every drawing says in words what it shows", () => {
  const drawings = report(findings).match(/<svg[^>]*>/g) ?? [];
  expect(drawings.length).toBe(6);
  for (const drawing of drawings)
    expect(drawing).toMatch(/role="img" (aria-labelledby="(\w+)-title \2-desc"|aria-label="[^"]+")/);
  expect(report(findings)).toContain("Training ends at 0.1, validation at 0.4.");
  expect(report(findings)).toContain("large: 500 kB, 99 %; &#60;small&#62;: 20 kB, 90 %");
  expect(report(findings)).toContain("large: 70 µs; &#60;small&#62;: 4.9 µs");
});

test("a model without mistakes has a report, too", () => {
  const page = report({ ...findings, confusion: matrix(3, 0, 0, 1), misclassified: [] });
  expect(page).toContain("every image was read correctly");
  expect(page).not.toMatch(/NaN|undefined|Infinity/);
});

test("a class that never comes has no rate", () => {
  const page = report({ ...findings, confusion: matrix(0, 0, 0, 4) });
  expect(page).toContain(">–</text>");
  expect(page).not.toContain("NaN");
});

test("a learning curve of one epoch and one step can be drawn", () => {
  for (const log of [true, false]) {
    const one = [point(1, 0)];
    const drawn = learningCurve({ id: "a", title: "A", epochs: 1, train: one, validation: one, log });
    expect(drawn).not.toMatch(/NaN|undefined|Infinity/);
  }
});

test("a long training is drawn with a bounded number of points", () => {
  const train = Array.from({ length: 50_000 }, (_, i) => point(i / 10_000, 1 / (1 + i)));
  expect(learningCurve({ id: "a", title: "A", epochs: 5, train, validation: [], log: true }).length).toBeLessThan(
    12_000,
  );
});

test("an image becomes one path per shade, paper left out", () => {
  const pixels = new Float32Array(16);
  pixels.set([1, 1, 0.5], 4);
  const paths = inkImage(pixels, 4, "a line").match(/<path[^>]*>/g);
  expect(paths).toEqual(['<path opacity="0.5" d="M2 1h1v1h-1z"/>', '<path opacity="1" d="M0 1h2v1h-2z"/>']);
});

test("models of one size and one accuracy can be drawn, and no label covers another", () => {
  const models = ["one", "another", "a third"].map((name) => ({ name, bytes: 1000, accuracy: 0.5 }));
  const drawn = tradeOff({ id: "a", title: "A", models });
  expect(drawn).not.toMatch(/NaN|undefined|Infinity/);
  const heights = [...drawn.matchAll(/y="([\d.]+)"[^>]*class="name small"/g)].map(([, y]) => Number(y));
  expect(heights.length).toBe(3);
  for (const [i, y] of heights.entries())
    for (const other of heights.slice(0, i)) expect(Math.abs(y - other)).toBeGreaterThanOrEqual(14);
});

test("where no clock runs there are no times, and bars of nothing can be drawn", () => {
  const page = report({ ...findings, models: [made("a", 1000, 1, null), made("b", 1000, 1, null)] });
  expect(page).toContain("<td>–</td>");
  expect(page).not.toMatch(/NaN|undefined|Infinity|null/);
  expect(barChart({ id: "a", title: "A", bars: [{ name: "a", value: 0, said: "–" }] })).not.toMatch(/NaN|Infinity/);
});

test.each([
  [999, "999 B"],
  [9876, "9.88 kB"],
  [492136, "492 kB"],
  [1486504, "1.49 MB"],
])("%d bytes are %s", (bytes, said) => {
  expect(fileSize(bytes)).toBe(said);
});

test("mistakes are listed by frequency", () => {
  expect(mistakes(matrix(5, 1, 3, 9))).toEqual([
    { actual: 1, predicted: 0, count: 3 },
    { actual: 0, predicted: 1, count: 1 },
  ]);
});
