// @ts-check
// Inline SVG for the demo's report: learning curves, models compared, confusion matrix, digits. Strings in, strings out; colours and type are the
// page's (report.mjs), so that they follow its light and dark scheme. Axes and paths come from d3-scale and d3-shape.

import { scaleLinear, scaleLog } from "d3-scale";
import { area, line } from "d3-shape";

/** @typedef {{ x: number, y: number }} Point */

/**
 * One learning curve: the mean of the training steps over the span of their middle 80 %, and a dot per validation.
 *
 * @param {{ id: string, title: string, epochs: number, train: readonly Point[], validation: readonly Point[], log?: boolean }} options
 *   x counts epochs; `log` draws y on a logarithmic axis
 * @returns {string} an `<svg>` element
 */
export function learningCurve({ id, title, epochs, train, validation: validated, log = false }) {
  const [width, height] = [480, 300];
  const edge = { top: 12, right: 14, bottom: 40, left: 54 };
  const positive = (/** @type {Point} */ p) => ({ x: p.x, y: log ? Math.max(p.y, 1e-6) : p.y });
  const steps = buckets(train.map(positive), 120, epochs);
  const validation = validated.map(positive);
  const x = scaleLinear([0, epochs], [edge.left, width - edge.right]);
  const range = [height - edge.bottom, edge.top];
  const y = log
    ? scaleLog(lossDomain(steps, validation), range)
    : scaleLinear(accuracyDomain(steps, validation), range);
  const ticks = log ? y.ticks().filter((v) => /^[125]/.test(v.toExponential())) : y.ticks(6);
  const label = log ? (/** @type {number} */ v) => String(Number(v.toPrecision(2))) : percent;
  const epochTicks = x.ticks(Math.min(epochs, 10)).filter((v) => epochs === 1 || Number.isInteger(v));

  const curve = line(
    (/** @type {Point} */ p) => x(p.x),
    (p) => y(p.y),
  );
  const span = area(
    (/** @type {Bucket} */ b) => x(b.x),
    (b) => y(b.low),
    (b) => y(b.high),
  );
  const last = validation.at(-1);
  const spoken = `${title} over ${epochs} ${epochs === 1 ? "epoch" : "epochs"}. Training ends at ${show(steps.at(-1)?.y, log)}, validation at ${show(last?.y, log)}.`;
  return svg({ id, width, height, title, spoken }, [
    `<clipPath id="${id}-plot"><rect x="${edge.left}" y="${edge.top - 2}" width="${width - edge.left - edge.right}" height="${height - edge.top - edge.bottom + 2}"/></clipPath>`,
    ...ticks.map(
      (v) =>
        `<line class="grid" x1="${edge.left}" x2="${width - edge.right}" y1="${n(y(v))}" y2="${n(y(v))}"/>` +
        text(edge.left - 8, y(v) + 4, label(v), "end"),
    ),
    ...epochTicks.map((v) => text(x(v), height - edge.bottom + 18, String(v))),
    text((edge.left + width - edge.right) / 2, height - 4, "epoch", "middle", "axis"),
    `<g clip-path="url(#${id}-plot)">`,
    `<path class="span" d="${round(span(steps))}"/><path class="train" d="${round(curve(steps))}"/>`,
    `<path class="validation" d="${round(curve(validation))}"/>`,
    "</g>",
    ...validation.map((p) => `<circle class="validation" cx="${n(x(p.x))}" cy="${n(y(p.y))}" r="3.5"/>`),
  ]);
}

/** @typedef {Point & { low: number, high: number }} Bucket */

/**
 * At most `count` stretches of equal length along x, each with the mean of its points and the span of their middle 80 %.
 * @param {readonly Point[]} points @param {number} count @param {number} end
 */
function buckets(points, count, end) {
  /** @type {Point[][]} */
  const groups = Array.from({ length: count }, () => []);
  for (const p of points) groups[Math.min(count - 1, Math.floor((p.x / end) * count))].push(p);
  return groups
    .filter((group) => group.length > 0)
    .map((group) => {
      const ys = group.map((p) => p.y);
      ys.sort((a, b) => a - b);
      const at = (/** @type {number} */ share) => ys[Math.round(share * (ys.length - 1))];
      return { x: mean(group.map((p) => p.x)), y: mean(ys), low: at(0.1), high: at(0.9) };
    });
}

/** Most of the loss's decades, without the odd batch that is learned by heart. @param {Bucket[]} steps @param {readonly Point[]} validation */
function lossDomain(steps, validation) {
  const means = [...steps, ...validation].map((p) => p.y);
  return [Math.min(...means) / 2, Math.max(...means, Math.min(...means) * 10) * 1.2];
}

/** From the first useful accuracy to 1: the first steps' guesses would flatten all the rest. @param {Bucket[]} steps @param {readonly Point[]} validation */
function accuracyDomain(steps, validation) {
  const settled = steps.slice(Math.floor(steps.length / 8)).map((b) => b.y);
  const lowest = Math.min(...settled, ...validation.map((p) => p.y), 0.98);
  return [Math.max(0, Math.floor(lowest * 20 - 0.2) / 20), 1];
}

/** @typedef {{ name: string, bytes: number, accuracy: number }} Sized */

/**
 * Models by the size of their files and by their accuracy: to the left is smaller, upwards is better.
 *
 * @param {{ id: string, title: string, models: readonly Sized[] }} options
 * @returns {string} an `<svg>` element
 */
export function tradeOff({ id, title, models }) {
  const [width, height] = [480, 300];
  const edge = { top: 12, right: 20, bottom: 40, left: 54 };
  const sizes = models.map((m) => m.bytes);
  const rates = models.map((m) => m.accuracy);
  const spread = Math.max(Math.max(...rates) - Math.min(...rates), 0.002);
  const x = scaleLog([Math.min(...sizes) / 1.6, Math.max(...sizes) * 1.6], [edge.left, width - edge.right]);
  const top = Math.min(1, Math.max(...rates) + 0.15 * spread);
  const y = scaleLinear([Math.max(0, Math.min(...rates) - 0.25 * spread), top], [height - edge.bottom, edge.top]);
  const ticks = y.ticks(6);
  const step = ticks.length > 1 ? ticks[1] - ticks[0] : 0.1;
  const places = Math.max(0, Math.ceil(-Math.log10(100 * step) - 1e-9));
  const labels = placed(
    models.map(({ name, bytes, accuracy }) => ({ name, x: x(bytes), y: y(accuracy) })),
    width - edge.right,
  );
  const spoken = models.map((m) => `${m.name}: ${fileSize(m.bytes)}, ${percent(m.accuracy, 2)}`).join("; ");
  return svg({ id, width, height, title, spoken }, [
    ...ticks.map(
      (v) =>
        `<line class="grid" x1="${edge.left}" x2="${width - edge.right}" y1="${n(y(v))}" y2="${n(y(v))}"/>` +
        text(edge.left - 8, y(v) + 4, `${(100 * v).toFixed(places)} %`, "end"),
    ),
    ...x
      .ticks()
      .filter((v) => /^[125]/.test(v.toExponential()))
      .map((v) => text(x(v), height - edge.bottom + 18, fileSize(v))),
    text((edge.left + width - edge.right) / 2, height - 4, "size of the file", "middle", "axis"),
    ...labels.map(({ name, x: cx, y: cy, at, anchor }, i) => {
      const point = `<circle class="model${i === 0 ? " first" : ""}" cx="${n(cx)}" cy="${n(cy)}" r="5.5"><title>${html(name)}</title></circle>`;
      return point + text(anchor === "start" ? cx + 11 : cx - 11, at + 4.5, name, anchor, "name small");
    }),
  ]);
}

/**
 * Labels beside their points, each moved down until it covers no other.
 * @param {readonly (Point & { name: string })[]} points @param {number} right
 */
function placed(points, right) {
  /** @type {{ from: number, to: number, at: number }[]} */
  const taken = points.map(({ x, y }) => ({ from: x - 7, to: x + 7, at: y }));
  return points.map((point) => {
    const wide = 11 + 8.4 * point.name.length;
    const anchor = point.x + wide > right ? "end" : "start";
    const [from, to] = anchor === "start" ? [point.x + 8, point.x + wide] : [point.x - wide, point.x - 8];
    let at = point.y;
    while (taken.some((other) => other.from < to && other.to > from && Math.abs(other.at - at) < 14)) at += 3;
    taken.push({ from, to, at });
    return { ...point, at, anchor };
  });
}

/**
 * A bar for each model, from 0.
 *
 * @param {{ id: string, title: string, bars: readonly { name: string, value: number, said: string }[] }} options
 * @returns {string} an `<svg>` element
 */
export function barChart({ id, title, bars }) {
  const [width, height, left, right] = [480, 300, 8, 8];
  const row = Math.max(44, Math.floor(height / bars.length));
  const longest = Math.max(...bars.map((bar) => bar.value), Number.MIN_VALUE);
  const x = scaleLinear([0, longest], [0, width - left - right - 84]);
  const spoken = bars.map((bar) => `${bar.name}: ${bar.said}`).join("; ");
  return svg({ id, width, height: bars.length * row, title, spoken }, [
    ...bars.flatMap(({ name, value, said }, i) => [
      text(left, i * row + 17, name, "start", "name small"),
      `<rect class="bar${i === 0 ? " first" : ""}" x="${left}" y="${i * row + 23}" width="${n(Math.max(1.5, x(value)))}" height="15" rx="2"/>`,
      text(left + x(value) + 9, i * row + 35.5, said, "start", "count"),
    ]),
  ]);
}

/**
 * A confusion matrix: a row for each true class, a column for each predicted one, with recall and precision at the margins.
 *
 * @param {{ id: string, confusion: readonly (readonly number[])[], classNames: readonly string[] }} options
 *   confusion[actual][predicted] counts samples
 * @returns {string} an `<svg>` element
 */
export function confusionMatrix({ id, confusion, classNames }) {
  const cell = 42;
  const left = 70;
  const top = 52;
  const size = classNames.length;
  const width = left + size * cell + 62;
  const height = top + size * cell + 28;
  const rows = confusion.map(sum);
  const columns = classNames.map((_, j) => sum(confusion.map((row) => row[j])));
  const worst = Math.max(1, ...confusion.flatMap((row, i) => row.filter((_, j) => i !== j)));
  const at = (/** @type {number} */ i) => (i + 0.5) * cell;
  const cells = confusion.flatMap((row, i) =>
    row.map((count, j) => {
      const [cx, cy] = [left + at(j), top + at(i)];
      if (count === 0) return `<circle class="none" cx="${cx}" cy="${cy}" r="1.2"/>`;
      const strength = i === j ? 0.1 + 0.3 * (count / rows[i]) ** 2 : 0.12 + 0.38 * Math.sqrt(count / worst);
      return (
        `<rect class="${i === j ? "right" : "wrong"}" fill-opacity="${n(strength)}" rx="3" x="${cx - cell / 2 + 1}" y="${cy - cell / 2 + 1}" width="${cell - 2}" height="${cell - 2}">` +
        `<title>${html(`${classNames[i]} read as ${classNames[j]}: ${count} of ${rows[i]}`)}</title></rect>${text(cx, cy + 4.5, String(count), "middle", "count")}`
      );
    }),
  );
  const wrong = sum(mistakes(confusion).map((m) => m.count));
  const spoken = `${sum(rows)} samples by actual and predicted class; ${wrong} of them were misread.`;
  return svg({ id, width, height, title: "Confusion matrix", spoken }, [
    text(left + (size * cell) / 2, 16, "read as", "middle", "axis"),
    `<g transform="rotate(-90 28 ${top + (size * cell) / 2})">${text(28, top + (size * cell) / 2 + 4, "actual", "middle", "axis")}</g>`,
    text(left + size * cell + 32, top - 12, "recall %", "middle", "axis"),
    text(left - 2, top + size * cell + 20, "precision %", "end", "axis small"),
    ...classNames.flatMap((name, i) => [
      text(left + at(i), top - 12, name, "middle", "name"),
      text(left - 16, top + at(i) + 4.5, name, "middle", "name"),
      text(left + size * cell + 32, top + at(i) + 4.5, rate(confusion[i][i], rows[i])),
      text(left + at(i), top + size * cell + 20, rate(confusion[i][i], columns[i])),
    ]),
    ...cells,
  ]);
}

/**
 * The pairs of classes that were confused, the most frequent first.
 * @param {readonly (readonly number[])[]} confusion
 */
export function mistakes(confusion) {
  const all = confusion.flatMap((row, actual) => row.map((count, predicted) => ({ actual, predicted, count })));
  return all.filter((m) => m.actual !== m.predicted && m.count > 0).sort((a, b) => b.count - a.count);
}

/**
 * A grey image as vectors, drawn in the page's text colour: one path for each of 12 shades.
 *
 * @param {ArrayLike<number>} pixels [height * width] in [0, 1], 1 = ink
 * @param {number} width
 * @param {string} spoken what the image shows
 * @returns {string} an `<svg>` element
 */
export function inkImage(pixels, width, spoken) {
  const height = pixels.length / width;
  const shades = 12;
  const runs = Array.from({ length: shades + 1 }, () => "");
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; ) {
      const shade = Math.round(pixels[row * width + column] * shades);
      let end = column + 1;
      while (end < width && Math.round(pixels[row * width + end] * shades) === shade) end++;
      runs[shade] += `M${column} ${row}h${end - column}v1h${column - end}z`;
      column = end;
    }
  }
  const paths = runs.map((d, shade) => (d && shade > 0 ? `<path opacity="${n(shade / shades)}" d="${d}"/>` : ""));
  return `<svg class="ink" viewBox="0 0 ${width} ${height}" role="img" aria-label="${html(spoken)}" shape-rendering="crispEdges">${paths.join("")}</svg>`;
}

/** @param {string} value for text and attribute values */
export const html = (value) => value.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

/** 1234567 as "1.23 MB". @param {number} bytes */
export function fileSize(bytes) {
  if (bytes < 1e3) return `${Math.round(bytes)} B`;
  const [value, unit] = bytes < 1e6 ? [bytes / 1e3, "kB"] : [bytes / 1e6, "MB"];
  return `${Number(value.toPrecision(3))} ${unit}`;
}

/** 0.98765 as "98.8 %"; zeros at the end are left out. @param {number} value @param {number} [digits] */
export const percent = (value, digits = 1) => `${Number((100 * value).toFixed(digits))} %`;

/** @param {{ id: string, width: number, height: number, title: string, spoken: string }} head @param {string[]} body */
const svg = ({ id, width, height, title, spoken }, body) =>
  `<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-title ${id}-desc"><title id="${id}-title">${html(title)}</title><desc id="${id}-desc">${html(spoken)}</desc>${body.join("")}</svg>`;

/** @param {number} x @param {number} y @param {string} value @param {string} anchor @param {string} [name] */
const text = (x, y, value, anchor = "middle", name) =>
  `<text x="${n(x)}" y="${n(y)}" text-anchor="${anchor}"${name ? ` class="${name}"` : ""}>${html(value)}</text>`;

/** In percent; no number where there is nothing to divide by. @param {number} right @param {number} all */
const rate = (right, all) => (all === 0 ? "–" : ((100 * right) / all).toFixed(1));

/** @param {number | undefined} value @param {boolean} log */
const show = (value, log) =>
  value === undefined ? "no value" : log ? String(Number(value.toPrecision(3))) : percent(value);

/** Coordinates to a hundredth. @param {number} value */
const n = (value) => Number(value.toFixed(2));

/** @param {string | null} path */
const round = (path) => (path ?? "").replace(/\d+\.\d+/g, (v) => String(n(Number(v))));

/** @param {readonly number[]} values */
const sum = (values) => values.reduce((a, b) => a + b, 0);

/** @param {readonly number[]} values */
const mean = (values) => sum(values) / values.length;
