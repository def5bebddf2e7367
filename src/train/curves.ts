// Learning curves as the text of an SVG. It is our own few lines: what there is for plots either wants a DOM (which workers do not have) or
// brings more bytes than all of lanewise/train, and this is one kind of chart.
import { checkKeys, rangeError, told, typeError } from "../errors.js";
import type { History } from "./callbacks/callback.js";

export interface LearningCurvesOptions {
  /** Above the chart, and its accessible name; default `Learning curves`. */
  title?: string;
  /** Which numbers of the history, validation's with them; default all. */
  metrics?: readonly string[];
  /** In pixels; default 640. It scales to the width of its container. */
  width?: number;
  /** Of each number's plot, in pixels; default 220. */
  height?: number;
}

interface Line {
  /** `training` or `validation`. */
  readonly name: string;
  readonly values: readonly number[];
}

interface Plot {
  readonly metric: string;
  readonly lines: readonly Line[];
}

const MARGIN = { left: 72, right: 16, top: 44, bottom: 40 };

// Both colours have a contrast of at least 4.5 to their background, and lines differ by dashes, too.
const STYLE = `
.lw { font: 12px system-ui, sans-serif; }
.lw .back { fill: #ffffff; }
.lw text { fill: #333333; }
.lw .title { font-size: 16px; font-weight: 600; }
.lw .metric { font-weight: 600; }
.lw .grid { stroke: #dddddd; }
.lw .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.lw .training { stroke: #0b62b0; }
.lw .validation { stroke: #b34700; stroke-dasharray: 6 4; }
@media (prefers-color-scheme: dark) {
.lw .back { fill: #17191c; }
.lw text { fill: #d8dade; }
.lw .grid { stroke: #3a3d42; }
.lw .training { stroke: #6db3f2; }
.lw .validation { stroke: #ff9a52; }
}`;

/**
 * Loss and metrics of a run over its epochs as an SVG: one plot for each number, a line for training and one for validation, with a title
 * and a description for those who do not see it, in light and dark. It is text: it needs no DOM.
 * @param history what `fit` gives
 * @returns the `<svg>` element, which is a file by itself, too
 * @throws {TypeError} for what is no history, or a metric that it does not have; {RangeError} for one without epochs
 * @example
 * const model = await build(input([2]), dense(2, { activation: "softmax" }));
 * const data = { x: tensor([[0, 1], [1, 0]]), y: tensor([0, 1], [2], "int32") };
 * const history = await fit(model, data, { optimizer: "adam", loss: "sparseCategoricalCrossentropy", epochs: 3 });
 * learningCurves(history).startsWith("<svg"); // true
 */
export function learningCurves(history: History, options: LearningCurvesOptions = {}): string {
  const op = "learningCurves";
  checkKeys(op, options, ["title", "metrics", "width", "height"]);
  if (!Array.isArray(history?.epoch) || typeof history.history !== "object" || history.history === null)
    throw typeError({ op, expected: "the history of a fit", actual: told(history) });
  const { epoch } = history;
  if (epoch.length === 0) throw rangeError({ op, expected: "a history of at least one epoch", actual: "none" });
  const { title = "Learning curves", metrics, width = 640, height = 220 } = options;
  for (const [name, size] of Object.entries({ width, height }))
    if (!(Number.isFinite(size) && size >= 160))
      throw rangeError({ op, expected: `${name} of at least 160`, actual: told(size) });
  const plots = plotsOf(history, metrics, op);
  const top = 28;
  const body = plots.map((plot, i) => draw(plot, epoch, { width, height, y: top + i * height }));
  const whole = top + plots.length * height;
  const about = plots.map(describe).join(" ");
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="lw" viewBox="0 0 ${width} ${whole}" width="${width}" style="max-width:100%;height:auto" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<desc>${escaped(`${about} ${epoch.length === 1 ? "One epoch." : `Epochs ${epoch[0]} to ${epoch.at(-1)}.`}`)}</desc>`,
    `<style>${STYLE}\n</style>`,
    `<rect class="back" width="${width}" height="${whole}"/>`,
    `<text class="title" x="${width / 2}" y="24" text-anchor="middle">${escaped(title)}</text>`,
    ...body,
    "</svg>\n",
  ].join("\n");
}

function plotsOf({ history }: History, metrics: readonly string[] | undefined, op: string): Plot[] {
  const names = Object.keys(history);
  const isValidation = (name: string) => name.startsWith("val_") && names.includes(name.slice(4));
  const known = names.filter((name) => !isValidation(name));
  const stray = metrics?.find((name) => !known.includes(name));
  if (stray !== undefined)
    throw typeError({ op, expected: `metrics of ${known.join(", ")}`, actual: JSON.stringify(stray) });
  return (metrics ?? known).map((metric) => {
    const validation = Object.hasOwn(history, `val_${metric}`) ? history[`val_${metric}`] : undefined;
    const lines: Line[] = [{ name: "training", values: history[metric] }];
    return { metric, lines: validation ? [...lines, { name: "validation", values: validation }] : lines };
  });
}

const describe = ({ metric, lines }: Plot): string =>
  `${metric}: ${lines.map(({ name, values }) => `${name} from ${short(values[0])} to ${short(values.at(-1) as number)}`).join(", ")}.`;

/** One plot, its upper left corner at y. */
function draw(
  { metric, lines }: Plot,
  epochs: readonly number[],
  at: { width: number; height: number; y: number },
): string {
  const finite = lines.flatMap(({ values }) => values.filter(Number.isFinite));
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const ys = finite.length === 0 ? [0, 1] : ticks(low, high, 5);
  const xs = ticks(epochs[0], epochs.at(-1) as number, 10).filter(
    (x) => Number.isInteger(x) && x >= epochs[0] && x <= (epochs.at(-1) as number),
  );
  const [left, right] = [MARGIN.left, at.width - MARGIN.right];
  const [upper, lower] = [at.y + MARGIN.top, at.y + at.height - MARGIN.bottom];
  const span = (epochs.at(-1) as number) - epochs[0];
  const x = (epoch: number): number =>
    span === 0 ? (left + right) / 2 : left + ((epoch - epochs[0]) / span) * (right - left);
  const [first, last] = [ys[0], ys[ys.length - 1]];
  const y = (value: number): number => lower - ((value - first) / (last - first)) * (lower - upper);
  const grid = ys.map((tick) => {
    const height = place(y(tick));
    return `<line class="grid" x1="${left}" x2="${right}" y1="${height}" y2="${height}"/><text x="${left - 8}" y="${height}" dy="0.32em" text-anchor="end">${short(tick)}</text>`;
  });
  const below = xs.map((tick) => `<text x="${place(x(tick))}" y="${lower + 16}" text-anchor="middle">${tick}</text>`);
  const middle = place((upper + lower) / 2);
  const key = lines.map(({ name }, i) => {
    const from = right - (lines.length - i) * 110;
    return `<line class="line ${name}" x1="${from}" x2="${from + 28}" y1="${upper - 14}" y2="${upper - 14}"/><text x="${from + 34}" y="${upper - 14}" dy="0.32em">${name}</text>`;
  });
  return [
    ...grid,
    ...below,
    `<text x="${(left + right) / 2}" y="${lower + 32}" text-anchor="middle">epoch</text>`,
    `<text class="metric" transform="translate(16 ${middle}) rotate(-90)" text-anchor="middle">${escaped(metric)}</text>`,
    ...key,
    ...lines.map(({ name, values }) => `<path class="line ${name}" d="${path(values, epochs, x, y)}"/>`),
  ].join("\n");
}

/** A line through what is finite, with gaps; a point by itself is a small circle. */
function path(
  values: readonly number[],
  epochs: readonly number[],
  x: (n: number) => number,
  y: (n: number) => number,
): string {
  let drawn = "";
  values.forEach((value, i) => {
    if (!Number.isFinite(value)) return;
    const point = `${place(x(epochs[i]))} ${place(y(value))}`;
    const begins = i === 0 || !Number.isFinite(values[i - 1]);
    drawn += begins ? `M${point}` : `L${point}`;
    if (begins && !Number.isFinite(values[i + 1])) drawn += "m-2 0a2 2 0 1 0 4 0a2 2 0 1 0-4 0";
  });
  return drawn;
}

/** Round numbers around [low, high], about so many: steps are 1, 2 or 5 times a power of ten. */
function ticks(low: number, high: number, count: number): number[] {
  const range = high > low ? high - low : Math.max(Math.abs(low), 1);
  let power = 1;
  while (power > range / count) power /= 10;
  while (power * 10 <= range / count) power *= 10;
  const step = power * ([1, 2, 5].find((n) => n * power >= range / count) ?? 10);
  const from = Math.floor(low / step + 1e-9);
  const to = Math.max(Math.ceil(high / step - 1e-9), from + 1);
  return Array.from({ length: to - from + 1 }, (_, i) => Number(((from + i) * step).toPrecision(12)));
}

/** A number in few characters. */
const short = (x: number): string => (Number.isFinite(x) ? String(Number(x.toPrecision(4))) : String(x));
const place = (x: number): number => Math.round(x * 100) / 100;

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c] as string);
