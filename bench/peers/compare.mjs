// One row at every peer: results compared first, then times in alternation, then ratios and the goal.
import { onRound } from "../machine.mjs";
import { measure } from "../measure.mjs";

const STATED = ["TF.js wasm", "ONNX Runtime Web"]; // the two that the goals were set against
const TOLERANCE = 1e-4; // of the largest number of the result

/**
 * @param row `{ section, name, goal }`
 * @param peers `{ name, native, prepare }` each, ours first; `prepare()` gives `{ run, read, end }`, and is missing where a peer
 *   has no such thing
 * @param options.by what ratios are of: `ms`, the medians, or `min`, the fastest calls
 * @param options.also more functions of ours to time, by name, that give something else
 * @returns the row with `peers`, by name `{ ms, spread, min, ratio, difference }` or `{ failed }`, `ratio` being our time over
 *   theirs; `best`, the fastest peer in JavaScript; and `verdicts`, `{ against, limit, ratio, hit }` for each of its goals
 */
export async function compare(row, peers, { rounds, by = "ms", also = {} }) {
  const entries = {};
  const tasks = [];
  let ours;
  for (const { name, prepare } of peers.filter(({ prepare }) => prepare)) {
    try {
      const task = await prepare();
      const result = await task.read();
      ours ??= result;
      entries[name] = { difference: difference(ours, result) };
      tasks.push({ name, ...task });
    } catch (error) {
      if (ours === undefined) throw error;
      entries[name] = { failed: error.message.split("\n")[0] };
    }
  }
  for (const [name, run] of Object.entries(also)) tasks.push({ name, run });
  const times = await measure(tasks, { rounds, onRound });
  for (const [i, { name, end }] of tasks.entries()) {
    entries[name] = { ...times[i], ratio: times[0][by] / times[i][by], ...entries[name] };
    await end?.();
  }
  const inJavaScript = peers.slice(1).filter(({ name, native }) => !native && entries[name]?.ms);
  const ranking = inJavaScript.map(({ name }) => name).sort((a, b) => entries[a][by] - entries[b][by]);
  const { inputs, weights, output, options, ...rest } = row;
  return { ...rest, peers: entries, best: ranking[0], verdicts: verdicts(row.goal ?? {}, ranking, entries) };
}

/** The largest, relative to the largest number. @throws {Error} when it is too large */
function difference(ours, theirs) {
  if (ours.length !== theirs.length) throw new Error(`gives ${theirs.length} numbers, not ${ours.length}`);
  let [scale, worst] = [0, 0];
  for (let i = 0; i < ours.length; i++) {
    scale = Math.max(scale, Math.abs(ours[i]));
    const apart = Math.abs(ours[i] - theirs[i]);
    worst = Math.max(worst, apart); // NaN stays
  }
  if (!(worst <= TOLERANCE * scale)) throw new Error(`gives something else (difference ${worst / scale})`);
  return scale && worst / scale;
}

/** The stated goals; and whoever is the fastest, we are to be faster. */
function verdicts({ best, torch, row, times, ...others }, ranking, entries) {
  const goals = [
    [ranking.find((name) => STATED.includes(name)), best],
    [STATED.includes(ranking[0]) ? undefined : ranking[0], 1],
    ["PyTorch", torch],
    [row && `our ${row}`, times],
    ...Object.entries(others),
  ];
  return goals
    .filter(([against, limit]) => limit !== undefined && entries[against]?.ratio)
    .map(([against, limit]) => {
      const { ratio } = entries[against];
      return { against, limit, ratio, hit: ratio <= limit };
    });
}
