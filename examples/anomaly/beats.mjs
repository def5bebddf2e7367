// @ts-check
// Heartbeats of 140 steps, normal ones and others: read from a folder, or drawn.

import { bytesOf, floatsOf } from "../common/files.mjs";
import { UsageError } from "../common/options.mjs";
import { randomFrom } from "../common/random.mjs";

export const STEPS = 140;

/**
 * @typedef {{ beats: Float32Array[], abnormal: boolean[] }} Beats each of 140 steps
 */

/** ECG5000, of whose labels 1 is normal. @param {string} folder @returns {Promise<Beats>} */
export async function stored(folder) {
  const x = await floatsOf(folder, "ecg5000_train_x.f32le");
  const labels = await bytesOf(folder, "ecg5000_train_y.u8");
  if (labels.length === 0 || x.length !== labels.length * STEPS)
    throw new UsageError(`${folder}: ${labels.length} labels and ${x.length} numbers are no beats of ${STEPS} steps`);
  const abnormal = Array.from(labels, (label) => label !== 1);
  if (!abnormal.includes(true) || !abnormal.includes(false))
    throw new UsageError(`${folder}: expected normal beats and others`);
  return { beats: Array.from(labels, (_, i) => x.subarray(i * STEPS, (i + 1) * STEPS)), abnormal };
}

/** Waves of a beat: where, how wide, how high. */
const normal = [
  { at: 20, width: 5, height: 0.4 },
  { at: 48, width: 2.5, height: -0.6 },
  { at: 53, width: 2, height: 3 },
  { at: 58, width: 2.5, height: -1 },
  { at: 95, width: 10, height: 0.8 },
];

/**
 * Beats of five waves, each a little elsewhere, wider and higher; two in five have lost one, or have it somewhere else.
 * @param {number} seed @param {number} count @returns {Beats}
 */
export function drawn(seed, count) {
  const random = randomFrom(seed);
  const near = (/** @type {number} */ value, /** @type {number} */ by) => value * (1 + by * (2 * random() - 1));
  const abnormal = Array.from({ length: count }, (_, i) => i % 5 < 2);
  const beats = abnormal.map((odd) => {
    const hit = odd ? Math.floor(normal.length * random()) : -1;
    const moved = random() < 0.5;
    const rate = near(1, 0.06);
    const waves = normal.map(({ at, width, height }, i) => {
      const [place, strength] =
        i !== hit ? [at, height] : moved ? [at + (i < 4 ? 25 : -18), height] : [at, 0.2 * height];
      return { at: place * rate, width: near(width, 0.15), height: near(strength, 0.2) };
    });
    return Float32Array.from({ length: STEPS }, (_, t) => {
      const bumps = waves.map(({ at, width, height }) => height / (1 + ((t - at) / width) ** 2)); // no Math.exp: engines differ
      return bumps.reduce((sum, v) => sum + v, 0.15 * (random() + random() - 1));
    });
  });
  return { beats, abnormal };
}
