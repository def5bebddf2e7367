// Learning curves: what the text of the SVG says and where its lines go.
import { expect, test } from "vitest";
import { type History, learningCurves } from "../../src/train/index.js";

const history: History = {
  epoch: [1, 2, 3, 4, 5],
  history: {
    loss: [2, 1.5, 1, 0.75, 0.5],
    accuracy: [0.25, 0.5, 0.5, 0.75, 1],
    val_loss: [2.5, Number.NaN, 1.25, 1, 0.75],
    val_accuracy: [0, 0.25, 0.5, 0.5, 0.75],
  },
};
const paths = (svg: string) =>
  [...svg.matchAll(/<path class="line (\w+)" d="([^"]*)"/g)].map(([, name, d]) => ({ name, d }));
const points = (d: string) => [...d.matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);

test("one plot for each number, with a line for training and one for validation", () => {
  const svg = learningCurves(history, { title: 'A "run" & <its> curves' });
  expect(svg).toMatch(/^<svg [^>]*viewBox="0 0 640 468"[^>]*role="img">/);
  expect(svg).toContain("<title>A &quot;run&quot; &amp; &lt;its&gt; curves</title>");
  expect(svg).toContain(
    "<desc>loss: training from 2 to 0.5, validation from 2.5 to 0.75. " +
      "accuracy: training from 0.25 to 1, validation from 0 to 0.75. Epochs 1 to 5.</desc>",
  );
  expect(svg).toContain("prefers-color-scheme: dark");
  expect(svg.match(/>epoch</g)).toHaveLength(2);
  expect(paths(svg).map(({ name }) => name)).toEqual(["training", "validation", "training", "validation"]);
});

test("lines go through their numbers, between the ticks of both axes", () => {
  const [loss, validation] = paths(learningCurves(history, { metrics: ["loss"], width: 488, height: 284 }));
  // 72 to 472 across for epochs 1 to 5; 72 down to 272 for losses from 2.5 to 0.5
  expect(points(loss.d)).toEqual([
    [72, 122],
    [172, 172],
    [272, 222],
    [372, 247],
    [472, 272],
  ]);
  expect(loss.d.match(/M/g)).toHaveLength(1);
  // the epoch that is not finite is a gap, and the point before it a circle
  expect(points(validation.d).map(([x]) => x)).toEqual([72, 272, 372, 472]);
  expect(validation.d).toMatch(/^M72 72m-2 0a2 2 0 1 0 4 0a2 2 0 1 0-4 0M272 197L/);
});

test.each<[string, readonly number[], readonly string[]]>([
  ["of small numbers", [0.0012, 0.0031], ["0.001", "0.0015", "0.002", "0.0025", "0.003", "0.0035"]],
  ["of large numbers", [0, 950_000], ["0", "200000", "400000", "600000", "800000", "1000000"]],
  ["below 0", [-3, 2], ["-3", "-2", "-1", "0", "1", "2"]],
  ["of one number", [0.5], ["0.4", "0.6"]],
  ["of nothing finite", [Number.NaN, Number.POSITIVE_INFINITY], ["0", "1"]],
])("ticks %s are round", (_, loss, ticks) => {
  const svg = learningCurves({ epoch: loss.map((_, i) => i + 1), history: { loss: [...loss] } });
  const shown = [...svg.matchAll(/text-anchor="end">([^<]+)</g)].map(([, text]) => text);
  expect(shown).toEqual(ticks);
  expect(svg).not.toContain('NaN"');
  for (const { d } of paths(svg)) expect(d).not.toMatch(/NaN|Infinity/);
});

test("validation without training is a number of its own", () => {
  const svg = learningCurves({ epoch: [1, 2], history: { val_loss: [1, 2] } });
  expect(svg).toContain(">val_loss<");
});

test.each<[string, () => unknown, string]>([
  ["nothing", () => learningCurves(undefined as never), "learningCurves: expected the history of a fit, got undefined"],
  ["no epochs", () => learningCurves({ epoch: [], history: {} }), "expected a history of at least one epoch, got none"],
  [
    "another metric",
    () => learningCurves(history, { metrics: ["auc"] }),
    'expected metrics of loss, accuracy, got "auc"',
  ],
  ["no width", () => learningCurves(history, { width: 0 }), "expected width of at least 160, got 0"],
])("%s is refused", (_, draw, message) => {
  expect(draw).toThrow(message);
});
