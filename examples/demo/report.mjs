// @ts-check
// The demo's report: one HTML page that needs nothing beside itself, no script, no font, no image. Pure: data in, page out.

import {
  barChart,
  confusionMatrix,
  fileSize,
  html,
  inkImage,
  learningCurve,
  mistakes,
  percent,
  tradeOff,
} from "./charts.mjs";

/** @typedef {import("./charts.mjs").Point} Point */

/**
 * What the page shows.
 * @typedef {object} Findings
 * @property {string} title the page's headline
 * @property {string} lead one or two sentences under it
 * @property {{ name: string, value: string, note?: string }[]} facts figures at the top
 * @property {History} history
 * @property {readonly Compared[]} models all that were made, the trained one first
 * @property {readonly (readonly number[])[]} confusion confusion[actual][predicted] counts samples
 * @property {readonly string[]} classNames
 * @property {Misread[]} misclassified the ones to show, in order
 * @property {string} footer how the page was made
 *
 * @typedef {object} History
 * @property {Record<"loss" | "accuracy", Point[]>} train one point per step, x in epochs
 * @property {Epoch[]} epochs one entry per epoch
 *
 * @typedef {{ loss: number, accuracy: number, valLoss: number, valAccuracy: number, seconds: number }} Epoch
 *
 * @typedef {object} Compared
 * @property {string} name
 * @property {string} [how] what was done to get it
 * @property {number} parameters
 * @property {number} nonZero
 * @property {number} macs
 * @property {number} fileBytes
 * @property {number | null} gzipBytes
 * @property {number} memoryBytes
 * @property {number} accuracy
 * @property {number} agreement
 * @property {number | null} milliseconds
 *
 * @typedef {object} Misread
 * @property {ArrayLike<number>} pixels [height * width] in [0, 1], 1 = ink
 * @property {number} width of the image
 * @property {number} actual
 * @property {number} predicted
 * @property {number} probability what the model gave to its prediction
 */

/**
 * @param {Findings} findings
 * @returns {string} a self-contained HTML page
 */
export function report({ title, lead, facts, history, models, confusion, classNames, misclassified, footer }) {
  const epochs = history.epochs.length;
  const wrong = mistakes(confusion).reduce((sum, { count }) => sum + count, 0);
  const curve = (/** @type {"loss" | "accuracy"} */ key, /** @type {"valLoss" | "valAccuracy"} */ valKey) => {
    const heading = key === "loss" ? "Loss" : "Accuracy";
    const validation = history.epochs.map((epoch, i) => ({ x: i + 1, y: epoch[valKey] }));
    const drawn = learningCurve({
      id: key,
      title: heading,
      epochs,
      train: history.train[key],
      validation,
      log: key === "loss",
    });
    return `<figure><figcaption><h3>${heading}</h3>${legend}</figcaption>${drawn}</figure>`;
  };
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${html(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<header>
<p class="mark">Lanewise</p>
<h1>${html(title)}</h1>
<p class="lead">${html(lead)}</p>
</header>
<dl class="facts">
${facts.map(({ name, value, note }) => `<div><dt>${html(name)}</dt><dd>${html(value)}${note ? `<small>${html(note)}</small>` : ""}</dd></div>`).join("\n")}
</dl>
<section aria-labelledby="learning">
<h2 id="learning">How it learned</h2>
<div class="pair">
${curve("loss", "valLoss")}
${curve("accuracy", "valAccuracy")}
</div>
${epochTable(history.epochs)}
</section>
<section aria-labelledby="compared">
<h2 id="compared">What became of it</h2>
<p>The same network made small in several ways, on the same test images. Agreement is the share of images that get the answer of the network as it was trained.</p>
<div class="pair">
<figure><figcaption><h3>Size and accuracy</h3></figcaption>${tradeOff({ id: "tradeoff", title: "Size and accuracy", models: models.map(({ name, fileBytes, accuracy }) => ({ name, bytes: fileBytes, accuracy })) })}</figure>
<figure><figcaption><h3>One prediction</h3></figcaption>${barChart({ id: "latency", title: "One prediction", bars: models.map(({ name, milliseconds }) => ({ name, value: milliseconds ?? 0, said: time(milliseconds) })) })}</figure>
</div>
${comparison(models)}
</section>
<section aria-labelledby="confusion-heading">
<h2 id="confusion-heading">What it takes for what</h2>
<p>The network as it was trained. Each row is a digit as it was meant, each column what the model read. Blue is right, orange is wrong; the stronger, the more.</p>
<div class="beside">
<figure>${confusionMatrix({ id: "confusion", confusion, classNames })}</figure>
${frequent(confusion, classNames)}
</div>
</section>
<section aria-labelledby="misread">
<h2 id="misread">What it misread</h2>
${misclassified.length === 0 ? "<p>Nothing: every image was read correctly.</p>" : gallery(misclassified, classNames, wrong)}
</section>
<footer><p>${html(footer)}</p></footer>
</main>
</body>
</html>
`;
}

const legend = `<span class="legend"><span class="key train">training, mean and middle 80 %</span><span class="key validation">validation</span></span>`;

/** @param {Epoch[]} epochs */
function epochTable(epochs) {
  const columns = ["epoch", "loss", "accuracy", "validation loss", "validation accuracy", "seconds"];
  const rows = epochs.map((e, i) => {
    const values = [
      e.loss.toFixed(4),
      percent(e.accuracy),
      e.valLoss.toFixed(4),
      percent(e.valAccuracy),
      e.seconds.toFixed(1),
    ];
    return `<tr><th scope="row">${i + 1}</th>${values.map((value) => `<td>${value}</td>`).join("")}</tr>`;
  });
  const head = columns.map((name) => `<th scope="col">${name}</th>`).join("");
  return `<details><summary>The same in numbers</summary><div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${rows.join("")}</tbody></table></div></details>`;
}

/** @param {number | null} milliseconds */
const time = (milliseconds) =>
  milliseconds === null
    ? "–"
    : milliseconds < 0.9995
      ? `${Number((1000 * milliseconds).toPrecision(3))} µs`
      : `${Number(milliseconds.toPrecision(3))} ms`;

/** @param {readonly Compared[]} models */
function comparison(models) {
  const [first] = models;
  const columns = ["", "parameters", "not zero", "MACs", "file", "gzipped", "memory", "accuracy", "agreement", "time"];
  const rows = models.map((m) => {
    const values = [
      grouped(m.parameters),
      percent(Math.floor((1000 * m.nonZero) / m.parameters) / 1000),
      grouped(m.macs),
      fileSize(m.fileBytes) + share(m.fileBytes, first.fileBytes),
      m.gzipBytes === null ? "–" : fileSize(m.gzipBytes),
      fileSize(m.memoryBytes),
      percent(m.accuracy, 2),
      percent(m.agreement, 2),
      time(m.milliseconds) + share(m.milliseconds, first.milliseconds),
    ];
    const how = m.how ? `<small>${html(m.how)}</small>` : "";
    return `<tr><th scope="row"><b>${html(m.name)}</b>${how}</th>${values.map((value) => `<td>${value}</td>`).join("")}</tr>`;
  });
  const head = columns.map((name) => (name ? `<th scope="col">${name}</th>` : "<td></td>")).join("");
  return `<div class="scroll"><table class="models"><thead><tr>${head}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

/** What part of the first one's it is. @param {number | null} value @param {number | null} first */
const share = (value, first) =>
  value === null || !first || value === first
    ? ""
    : `<small>${percent(value / first, value < 0.1 * first ? 1 : 0)}</small>`;

/** @param {number} value */
const grouped = (value) => value.toLocaleString("en-US");

/** @param {readonly (readonly number[])[]} confusion @param {readonly string[]} classNames */
function frequent(confusion, classNames) {
  const most = mistakes(confusion).slice(0, 8);
  if (most.length === 0) return "";
  const items = most.map(
    ({ actual, predicted, count }) =>
      `<li>${pair(classNames[actual], classNames[predicted])} <small>${count === 1 ? "once" : `${count} times`}</small></li>`,
  );
  return `<aside><h3>Most often</h3><ol>${items.join("")}</ol></aside>`;
}

/** @param {string} meant @param {string} read */
const pair = (meant, read) =>
  `<b>${html(meant)}</b> <span role="img" class="to" aria-label="read as">→</span> <b class="read">${html(read)}</b>`;

/** @param {Misread[]} misclassified @param {readonly string[]} classNames @param {number} wrong */
function gallery(misclassified, classNames, wrong) {
  const shown =
    misclassified.length < wrong
      ? `The ${misclassified.length} it was surest of, out of ${wrong}.`
      : `All ${wrong}, the surest first.`;
  const items = misclassified.map(({ pixels, width, actual, predicted, probability }) => {
    const [meant, read] = [classNames[actual], classNames[predicted]];
    const image = inkImage(pixels, width, `a ${meant}, read as ${read}`);
    return `<li>${image}<span>${pair(meant, read)} <small>${percent(Math.round(100 * probability) / 100)}</small></span></li>`;
  });
  return `<p>${shown} Left of the arrow what was meant, right of it what was read, and how sure the model was.</p>
<ul class="gallery">
${items.join("\n")}
</ul>`;
}

// Both schemes keep at least 4.5 : 1 for text (on the strongest cell of the matrix, too) and 3 : 1 for lines.
const style = `
:root { --paper: #fcfbf8; --card: #fff; --text: #1d2125; --soft: #5c6269; --rule: #e4e1da; --blue: #1f5fae; --orange: #b8500c; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14171a; --card: #1b1f23; --text: #e9e7e2; --soft: #a2a8ae; --rule: #30353a; --blue: #7fb2ee; --orange: #f0965a; }
}
* { box-sizing: border-box; margin: 0; }
html { background: var(--paper); color: var(--text); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; font-variant-numeric: tabular-nums; }
main { max-width: 66rem; margin: 0 auto; padding: clamp(1.5rem, 5vw, 4.5rem) clamp(1.1rem, 4vw, 2.5rem) 3rem; }
h1, h2 { font-family: ui-serif, "Iowan Old Style", Charter, Georgia, "Liberation Serif", serif; font-weight: 500; text-wrap: balance; }
h1 { font-size: clamp(2rem, 5vw, 3.1rem); line-height: 1.12; letter-spacing: -0.015em; margin: 0.5rem 0 1rem; max-width: 20em; }
h2 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 0.6rem; }
h3 { font-size: 1rem; font-weight: 600; }
p { max-width: 44rem; text-wrap: pretty; }
.mark { color: var(--blue); font-weight: 600; letter-spacing: 0.08em; text-transform: uppercase; font-size: 0.82rem; }
.lead { font-size: 1.13rem; color: var(--soft); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(7.4rem, 1fr)); gap: 1.4rem 1.5rem; margin: 2.6rem 0 0; padding: 1.5rem 0; border-block: 1px solid var(--rule); }
dt { color: var(--soft); font-size: 0.88rem; }
dd { font-size: 1.5rem; line-height: 1.3; white-space: nowrap; }
dd small { display: block; font-size: 0.82rem; line-height: 1.4; white-space: normal; }
section { margin-top: 3.4rem; }
section > p { color: var(--soft); margin-bottom: 1.2rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(25rem, 100%), 1fr)); gap: 1.5rem; }
figure { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 1rem 1.1rem; }
figcaption { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: 0.2rem 1rem; margin-bottom: 0.5rem; }
.legend { display: flex; flex-wrap: wrap; gap: 0 1.1rem; font-size: 0.82rem; color: var(--soft); }
.key::before { content: ""; display: inline-block; width: 1.3em; border-top: 2.5px solid var(--blue); vertical-align: 0.27em; margin-right: 0.45em; }
.key.validation::before { border-color: var(--orange); border-top-style: dashed; }
.beside { display: grid; grid-template-columns: minmax(0, 41rem) minmax(10rem, 1fr); gap: 1.5rem 2.5rem; }
.beside ol { list-style: none; padding: 0; margin-top: 0.4rem; }
.beside li { padding: 0.35rem 0; border-bottom: 1px solid var(--rule); max-width: 14rem; }
.beside figure { overflow-x: auto; }
.beside svg { min-width: 26rem; }
@media (max-width: 46rem) { .beside { grid-template-columns: minmax(0, 1fr); } }
svg { display: block; width: 100%; height: auto; overflow: visible; }
svg text { fill: var(--soft); font-size: 12px; }
svg .axis { font-size: 12px; font-style: italic; }
svg .small { font-size: 11px; }
svg .count { fill: var(--text); font-size: 13.5px; }
svg .name { fill: var(--text); font-size: 14.5px; font-weight: 600; }
.grid { stroke: var(--rule); }
path.train { fill: none; stroke: var(--blue); stroke-width: 2; stroke-linejoin: round; }
path.span { fill: var(--blue); opacity: 0.16; }
path.validation { fill: none; stroke: var(--orange); stroke-width: 2; stroke-dasharray: 5 4; }
circle.model { fill: var(--orange); stroke: var(--card); stroke-width: 1.5; }
rect.bar { fill: var(--orange); }
rect.bar.first { fill: var(--blue); }
circle.model.first { fill: var(--blue); }
circle.validation { fill: var(--orange); stroke: var(--card); stroke-width: 1.5; }
rect.right { fill: var(--blue); }
rect.wrong { fill: var(--orange); }
circle.none { fill: var(--soft); opacity: 0.45; }
details { margin-top: 1.1rem; color: var(--soft); }
summary { cursor: pointer; width: fit-content; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin-top: 0.6rem; font-size: 0.92rem; color: var(--text); }
th, td { text-align: right; padding: 0.3rem 0 0.3rem 1.8rem; border-bottom: 1px solid var(--rule); font-weight: inherit; white-space: nowrap; }
th:first-child { padding-left: 0; text-align: left; }
thead { color: var(--soft); }
.models { margin-top: 1.6rem; width: 100%; }
.models th, .models td { padding-left: 1.2rem; vertical-align: top; }
.models th:first-child { padding-left: 0; white-space: normal; min-width: 11rem; }
.models small { display: block; font-size: 0.82rem; line-height: 1.35; }
.gallery { list-style: none; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(6.7rem, 1fr)); gap: 1rem; }
.gallery li { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 0.6rem 0.6rem 0.45rem; text-align: center; }
.gallery li > span { display: block; margin-top: 0.35rem; white-space: nowrap; }
b { font-weight: 600; }
.read { color: var(--orange); }
.to, small { color: var(--soft); }
li small { margin-left: 0.3em; font-size: 0.82rem; }
.ink { fill: var(--text); }
footer { margin-top: 4rem; padding-top: 1.2rem; border-top: 1px solid var(--rule); color: var(--soft); font-size: 0.88rem; }
@media print { main { max-width: none; padding: 0; } section { break-inside: avoid; } }
`;
