// Files come from strangers: a hundred thousand damaged ones, each refused with an error of ours or loaded as a model that works.
import { beforeAll, expect, test } from "vitest";
import {
  build,
  conv2d,
  dense,
  dropout,
  FormatError,
  flatten,
  input,
  load,
  maxPooling2d,
  save,
  sequential,
} from "../../src/index.js";
import { draws } from "../../src/philox.js";

const COUNT = 100_000;
const PARTS = 20;

let original: Uint8Array;
beforeAll(async () => {
  const layers = sequential(
    conv2d(2, 3, { activation: "relu" }),
    maxPooling2d(2),
    flatten(),
    dropout(0.5),
    dense(3, { activation: "softmax" }),
  );
  original = save(await build(input([6, 6, 1]), layers, { name: "victim" }));
});

/** One to four damages: bytes replaced, bits flipped, pieces cut out, doubled or moved, the file cut short. */
function damaged(bytes: Uint8Array, seed: number): Uint8Array {
  const { bits } = draws(11, seed);
  const below = (n: number) => bits() % Math.max(1, n);
  const header = 8 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  let made = bytes.slice();
  for (let left = 1 + below(4); left > 0; left--) {
    const at = below(8) === 0 ? below(made.length) : below(Math.min(header, made.length));
    const length = 1 + below(12);
    const kind = below(7);
    if (kind === 0) made[at] ^= 1 << below(8);
    else if (kind === 1) made[at] = below(256);
    else if (kind === 2)
      made[at] = 0x30 + below(10); // a digit: numbers that are still numbers
    else if (kind === 3) made = Uint8Array.of(...made.subarray(0, at), ...made.subarray(at + length));
    else if (kind === 4) made = Uint8Array.of(...made.subarray(0, at + length), ...made.subarray(at));
    else if (kind === 5) made.copyWithin(at, below(made.length), below(made.length) + length);
    else made = below(4) === 0 ? made.slice(0, below(made.length)) : made;
  }
  return made;
}

test.each(Array.from({ length: PARTS }, (_, part) => part))(`damaged files, part %i of ${PARTS}`, async (part) => {
  const tally = { refused: 0, loaded: 0 };
  for (let i = 0; i < COUNT / PARTS; i++) {
    const seed = part * (COUNT / PARTS) + i;
    try {
      const model = await load(damaged(original, seed));
      tally.loaded++;
      // A damage may hit a weight, a name or nothing that matters; what loads must plan, or refuse for want of memory.
      try {
        model.plan();
      } catch (error) {
        expect(error, `seed ${seed}: ${String(error)}`).toBeInstanceOf(RangeError);
      }
    } catch (error) {
      expect(error, `seed ${seed}: ${String(error)}`).toBeInstanceOf(FormatError);
      tally.refused++;
    }
  }
  expect(tally.refused + tally.loaded).toBe(COUNT / PARTS);
  expect(tally.refused).toBeGreaterThan(COUNT / PARTS / 4);
});
