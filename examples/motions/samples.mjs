// @ts-check
// Recordings of motions, [recordings, 100 steps, 6 channels]: three of acceleration, three of rotation, ten steps a second. Read from a folder,
// or drawn: swings of a rhythm and strength that is each class's own, and of each recording a little different.

import { tensor } from "lanewise";
import { bytesOf, floatsOf } from "../common/files.mjs";
import { UsageError } from "../common/options.mjs";
import { randomFrom } from "../common/random.mjs";

/** @typedef {import("lanewise").Tensor} Tensor @typedef {{ x: Tensor, y: Tensor }} Samples */

export const STEPS = 100;
export const CHANNELS = 6;
export const classes = ["standing", "running", "walking", "badminton"];

/** Both parts from the files of BasicMotions. @param {string} folder */
export const stored = async (folder) => ({ train: await part(folder, "train"), test: await part(folder, "test") });

/** @param {string} folder @param {string} name @returns {Promise<Samples>} */
async function part(folder, name) {
  const x = await floatsOf(folder, `basic_motions_${name}_x.f32le`);
  const y = Int32Array.from(await bytesOf(folder, `basic_motions_${name}_y.u8`));
  if (y.length === 0 || x.length !== y.length * STEPS * CHANNELS)
    throw new UsageError(
      `${folder}: ${y.length} labels and ${x.length} numbers are no recordings of ${STEPS} x ${CHANNELS}`,
    );
  if (y.some((label) => label >= classes.length))
    throw new UsageError(`${folder}: labels beyond ${classes.length - 1}`);
  return { x: tensor(x, [y.length, STEPS, CHANNELS]), y: tensor(y, [y.length], "int32") };
}

/** Swings of each class: steps from one to the next, strength, how uneven they are, and the noise around them. */
const swings = [
  { period: 40, strength: 0.1, uneven: 0.5, noise: 0.2 },
  { period: 4, strength: 3, uneven: 0.3, noise: 0.6 },
  { period: 9, strength: 1.2, uneven: 0.2, noise: 0.3 },
  { period: 14, strength: 2.2, uneven: 1, noise: 0.3 },
];

/** Both parts, of `count` recordings each. @param {number} seed @param {number} count */
export function drawn(seed, count) {
  const random = randomFrom(seed);
  return { train: draw(random, count), test: draw(random, count) };
}

/** @param {() => number} random @param {number} count @returns {Samples} */
function draw(random, count) {
  const x = new Float32Array(count * STEPS * CHANNELS);
  const y = Int32Array.from({ length: count }, (_, i) => i % classes.length);
  y.forEach((label, i) => {
    const { period, strength, uneven, noise } = swings[label];
    const [pace, force] = [period * (0.8 + 0.4 * random()), strength * (0.7 + 0.6 * random())];
    const channels = Array.from({ length: CHANNELS }, () => ({ share: 0.4 + 0.6 * random(), shift: random() / 4 }));
    let [phase, now] = [random(), 1];
    for (let step = 0; step < STEPS; step++) {
      phase += 1 / pace;
      if (phase >= 1) [phase, now] = [phase - 1, 1 + uneven * (2 * random() - 1)];
      channels.forEach(({ share, shift }, c) => {
        const swing = Math.abs(((phase + shift) % 1) * 4 - 2) - 1; // a triangle between -1 and 1
        x[(i * STEPS + step) * CHANNELS + c] = force * now * share * swing + noise * (random() + random() - 1);
      });
    }
  });
  return { x: tensor(x, [count, STEPS, CHANNELS]), y: tensor(y, [count], "int32") };
}

/** Every channel with mean 0 and standard deviation 1 over the training part. @param {{ train: Samples, test: Samples }} parts */
export function standardized({ train, test }) {
  const count = train.x.data.length / CHANNELS;
  const facts = Array.from({ length: CHANNELS }, (_, c) => {
    const own = Array.from(train.x.data).filter((_, i) => i % CHANNELS === c);
    const mean = own.reduce((sum, v) => sum + v, 0) / count;
    const variance = own.reduce((sum, v) => sum + (v - mean) ** 2, 0) / count;
    return { mean, inverse: 1 / Math.sqrt(variance || 1) };
  });
  /** @param {Samples} samples @returns {Samples} */
  const scaled = ({ x, y }) => ({
    x: tensor(
      Float32Array.from(x.data, (v, i) => (v - facts[i % CHANNELS].mean) * facts[i % CHANNELS].inverse),
      [...x.shape],
    ),
    y,
  });
  return { train: scaled(train), test: scaled(test) };
}
