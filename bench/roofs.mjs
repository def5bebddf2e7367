// The roofs that kernels are measured against, in WebAssembly as they are: the most multiplications and additions that this engine gets
// out of SIMD registers, and how fast it reads and copies arrays that live in the caches or beyond. roofs.wasm is made by
// roofs-wasm.mjs. Nothing of a platform here: this runs in every runtime.
import { SUMS, UNROLL } from "./roofs-constants.mjs";

const STEPS = 50_000;
const COPIED = 2 ** 20; // bytes at least that one call moves, in rounds over a small array

/** Bytes of the array, or of both arrays of a copy: 16 KB fit into the first cache, 256 KB into the second, 8 MB where there is a third. */
const LEVELS = { L1: 2 ** 14, L2: 2 ** 18, L3: 2 ** 23, memory: 2 ** 27 };

const amount = (bytes) => (bytes < 2 ** 20 ? `${bytes / 2 ** 10} KB` : `${bytes / 2 ** 20} MB`);

/**
 * Rows to measure: `flops` or `bytes` say what a call does.
 * @param module the compiled roofs.wasm
 */
export async function roofRows(module) {
  const memory = new WebAssembly.Memory({ initial: 1 + LEVELS.memory / 65536 });
  const { peak, read, copy } = (await WebAssembly.instantiate(module, { env: { memory } })).exports;
  const start = 65536;
  // Pages that nobody wrote to may all be the same page of zeros: that would read like a cache.
  new Float32Array(memory.buffer, start).fill(1);
  return [
    { name: "f32x4 multiply and add", flops: STEPS * UNROLL * SUMS * 8, run: () => peak(STEPS, 0.5, 1) },
    ...Object.entries(LEVELS).flatMap(([level, size]) => {
      const rounds = Math.ceil(COPIED / size);
      const half = size / 2;
      return [
        { name: `read ${amount(size)} (${level})`, bytes: size * rounds, run: () => read(start, size, rounds) },
        {
          name: `copy ${amount(size)} (${level})`,
          bytes: size * rounds,
          run: () => copy(start, start + half, half, rounds),
        },
      ];
    }),
  ].map((row) => ({ section: "roof", ...row }));
}

/**
 * Adds to measured rows what they reach and the share of their roof: the time that arithmetic or the movement of bytes would need at
 * least, whichever is longer, over the time that it took.
 * @param roofs the measured rows of `roofRows`
 */
export function againstRoofs(rows, roofs) {
  const rates = roofs.map(({ flops, bytes, ms }) => (flops ?? bytes) / ms); // per millisecond
  const [peak, ...bandwidths] = rates;
  const levels = Object.entries(LEVELS).map(([level, bytes], i) => {
    return { level, bytes, read: bandwidths[2 * i], copy: bandwidths[2 * i + 1] };
  });
  return rows.map(({ reads, writes, ...row }) => {
    const result = { ...row, reads, writes };
    if (row.flops) result.gflops = row.flops / row.ms / 1e6;
    if (row.bytes ?? reads) result.gbps = (row.bytes ?? reads + writes) / row.ms / 1e6;
    if (row.section === "roof" || (!row.flops && !reads)) return result;
    const arithmetic = (row.flops ?? 0) / peak;
    const { level, moving } = movement(levels, reads ?? 0, writes ?? 0);
    const roof = arithmetic >= moving ? "peak" : level;
    return { ...result, roof, ofRoof: Math.max(arithmetic, moving) / row.ms };
  });
}

/** Every written byte goes with one that is read, at the rate of a copy; the others are read. */
function movement(levels, reads, writes) {
  const { level, read, copy } = levels.find(({ bytes }) => reads + writes <= 2 * bytes) ?? levels[levels.length - 1];
  const copied = Math.min(reads, writes);
  return { level, moving: (2 * copied) / copy + (reads - copied) / read + (writes - copied) / copy };
}
