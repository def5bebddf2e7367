// Whether a product with sparse weights takes less time than a dense one, and by which kernel, from what was measured (Node 24, Zen 4;
// `npm run bench:methods` measures the choice). Costs are in multiplications and additions of a dense product at 26 in a nanosecond.
import { PANEL } from "./matmul.js";
import type { Pair } from "./window.js";
import { winogradWork } from "./winograd.js";

/** A convolution of x [batch, ..., c] with n filters, its padding in x. */
export interface Windows {
  readonly batch: number;
  readonly rows: { readonly out: number; readonly padded: number };
  readonly cols: { readonly out: number; readonly padded: number };
  readonly size: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  readonly c: number;
  readonly n: number;
}

/** How weights are packed and multiplied. */
export interface Method {
  /** Lanes across outputs, of blocks of four or one by one; 0: across pixels. */
  readonly block: 0 | 1 | 4;
  /** 32-bit words of the packed weights. */
  readonly words: number;
  /** Weights that are kept: multiplications and additions for each pixel. */
  readonly terms: number;
  readonly windows: Windows;
}

/** A dense product of a single pixel, for each weight: it has one row of a tile for two. */
const SINGLE = 1.2;
/** A step of outputs, for each weight in it: of blocks, and one by one, where the factors of x are gathered; and what a group of them costs. */
const [IN_BLOCK, ALONE, GROUP] = [2.2, 6.4, 150];
/** Pixels, 32 of them: for each weight, and for each output; what writing an element channels first costs. */
const [WEIGHT, OUTPUT, COPY] = [90, 300, 5];
/** How much cheaper a sparse product must be: costs are known to about so much. */
const MARGIN = 1.1;

/** The fastest method, where one is faster than a dense product. @param mask [k, n], the weights that are kept */
export function cheapest(mask: Uint8Array, windows: Windows): Method | undefined {
  const { batch, rows, cols, size, strides, dilations, c, n } = windows;
  const [k, pixels] = [size[0] * size[1] * c, batch * rows.out * cols.out];
  if (k * n * pixels === 0) return undefined;
  const terms = mask.reduce((sum, kept) => sum + kept, 0);
  const outputs = ([1, 4] as const).map((block) => {
    const steps = stepsOf(mask, k, n, block);
    const [groups, group] = [steps.length, block === 4 ? 16 : 8];
    const all = steps.reduce((sum, count) => sum + count, 0);
    const cost = pixels * (all * group * (block === 4 ? IN_BLOCK : ALONE) + groups * GROUP);
    return { cost, block, words: groups + all * (group + group / block), terms, windows };
  });
  const positions = (rows.out - 1) * cols.padded + cols.out;
  const copied = COPY * batch * rows.padded * cols.padded * c;
  const across = {
    cost: batch * times32(positions) * (terms * WEIGHT + n * OUTPUT) + copied,
    block: 0 as const,
    words: n + 2 * terms,
    terms,
    windows,
  };
  const methods = strides[0] * strides[1] === 1 ? [...outputs, across] : outputs;
  const best = methods.reduce((a, b) => (b.cost < a.cost ? b : a));
  const direct = pixels * k * Math.ceil(n / PANEL) * PANEL * (pixels === 1 ? SINGLE : 1);
  const out: Pair = [rows.out, cols.out];
  const dense = Math.min(direct, batch * winogradWork({ size, strides, dilations, groups: 1 }, { c, n, out }));
  return best.cost * MARGIN < dense ? best : undefined;
}

/** How many times 32 pixels so many take: the last ones are done in 16 or 4, which gain less. */
function times32(pixels: number): number {
  const left = pixels % 32;
  return Math.floor(pixels / 32) + (left === 0 ? 0 : left > 16 ? 1 : left > 4 ? 0.4 : 0.2);
}

/** The steps of each group of columns: as many as its longest list, as f32_sparse_pack_outputs of assembly/sparsepack.ts says. */
function stepsOf(mask: Uint8Array, k: number, n: number, block: 1 | 4): number[] {
  const counts = new Uint32Array(Math.ceil(n / block));
  for (let i = 0; i < k; i++) {
    for (let j = 0, b = 0; j < n; j += block, b++) {
      let kept = 0;
      for (let r = j; r < Math.min(n, j + block); r++) kept |= mask[i * n + r];
      counts[b] += kept;
    }
  }
  const places = block === 4 ? 4 : 8;
  return Array.from({ length: Math.ceil(counts.length / places) }, (_, g) =>
    Math.max(...counts.subarray(g * places, (g + 1) * places)),
  );
}
