// Philox 4x32-10: random bits as a pure function of a key and a counter, so any part of a data set can be drawn on its own.
// Integer arithmetic only, hence the same in every engine. Source: Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011.

/** Numbers drawn one after the other from the generator that belongs to one (seed, index). */
export interface Draws {
  /** 32 random bits, as an integer in [0, 2^32). */
  bits(): number;
  /** Uniform in [low, high). */
  uniform(low: number, high: number): number;
  /** Bell-shaped around 0 and bounded by ±1, standard deviation 0.29: the mean of four uniform bytes. */
  bell(): number;
}

/** The generator for `index` under `seed`; both are integers in [0, 2^53). */
export function draws(seed: number, index: number): Draws {
  const counter = new Uint32Array(4);
  const block = new Uint32Array(4);
  let used = 4;
  counter[1] = index % 2 ** 32;
  counter[2] = index / 2 ** 32;
  const bits = (): number => {
    if (used === 4) {
      philox(counter, (seed % 2 ** 32) >>> 0, (seed / 2 ** 32) >>> 0, block);
      counter[0] = counter[0] + 1;
      used = 0;
    }
    return block[used++];
  };
  return {
    bits,
    uniform: (low, high) => low + (high - low) * (bits() / 2 ** 32),
    bell: () => {
      const b = bits();
      return ((b & 255) + ((b >>> 8) & 255) + ((b >>> 16) & 255) + (b >>> 24)) / 510 - 1;
    },
  };
}

/** The numbers 0 to count - 1, shuffled by Fisher and Yates with integer arithmetic; the same for the same seed and index everywhere. */
export function permutation(count: number, seed: number, index: number): Uint32Array<ArrayBuffer> {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const { bits } = draws(seed, index);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor((bits() / 2 ** 32) * (i + 1));
    const kept = order[i];
    order[i] = order[j];
    order[j] = kept;
  }
  return order;
}

/** Ten rounds of Philox 4x32: `block = philox(counter, key)`. */
export function philox(counter: Uint32Array, key0: number, key1: number, block: Uint32Array): void {
  let [c0, c1, c2, c3] = counter;
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(0xd2511f53, c0);
    const low0 = Math.imul(0xd2511f53, c0);
    const high1 = mulHigh(0xcd9e8d57, c2);
    const low1 = Math.imul(0xcd9e8d57, c2);
    c0 = high1 ^ c1 ^ key0;
    c1 = low1;
    c2 = high0 ^ c3 ^ key1;
    c3 = low0;
    key0 = (key0 + 0x9e3779b9) | 0;
    key1 = (key1 + 0xbb67ae85) | 0;
  }
  block[0] = c0;
  block[1] = c1;
  block[2] = c2;
  block[3] = c3;
}

/** The upper 32 bits of the 64-bit product of two uint32. */
function mulHigh(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const middle = a1 * b0 + ((a0 * b0) >>> 16); // < 2^32
  return (a1 * b1 + (middle >>> 16) + ((a0 * b1 + (middle & 0xffff)) >>> 16)) | 0;
}
