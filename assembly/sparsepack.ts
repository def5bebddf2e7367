// Weights of which some are left out, packed for sparse.ts: the others, each with where in x its factor is. `mask` says which are kept.

/**
 * Where the factor of row k of the weights is, in bytes from the first of an output's window: row k = (p kw + q) c + i of a filter
 * [kh, kw, c, n], with so many elements of x from one p, q and i to the next.
 */
// @ts-ignore: decorator
@inline
function placeOf(k: u32, kw: u32, c: u32, row: u32, pixel: u32, channel: u32): u32 {
  const tap = k / c;
  return ((tap / kw) * row + (tap % kw) * pixel + (k - tap * c) * channel) << 2;
}

/**
 * packed: for each column of b [k, n] how many of its elements are kept by mask [k, n] (bool), then for each of these, in the order of
 * k, its place (u32) and itself.
 */
export function f32_sparse_pack_pixels(
  k: u32, n: u32, kw: u32, c: u32, row: u32, pixel: u32, channel: u32, mask: usize, b: usize, packed: usize,
): void {
  for (let j: u32 = 0; j < n; j++) {
    const head = packed;
    packed += 4;
    for (let i: u32 = 0; i < k; i++) {
      const at: usize = i * n + j;
      if (!load<u8>(mask + at)) continue;
      store<u32>(packed, placeOf(i, kw, c, row, pixel, channel));
      store<u32>(packed, load<u32>(b + (at << 2)), 4);
      packed += 8;
    }
    store<u32>(head, <u32>((packed - head) >> 3));
  }
}

/** Places of a step: four, each for a block of four columns, or eight, each for one. */
// @ts-ignore: decorator
@inline
export function placesOf(block: u32): u32 { return block == 4 ? 4 : 8; }

/**
 * packed: for each group of columns of b [k, n], placesOf(block) block of them, how many steps it has, then for each step its places
 * (u32) and the elements of its columns. A block of columns has a step for every row of which any element is kept; what
 * others need more is +0 at the place of its last, as are elements that are not kept.
 */
export function f32_sparse_pack_outputs(
  k: u32, n: u32, kw: u32, c: u32, row: u32, pixel: u32, channel: u32, block: u32, mask: usize, b: usize, packed: usize,
): void {
  const places = placesOf(block), group = places * block, bytes = <usize>(places + group) << 2;
  for (let first: u32 = 0; first < n; first += group) {
    let steps: u32 = 0;
    for (let j = first; j < min(n, first + group); j += block) {
      let count: u32 = 0;
      for (let i: u32 = 0; i < k; i++) count += <u32>isKept(mask + i * n, j, min(n, j + block));
      steps = max(steps, count);
    }
    store<u32>(packed, steps);
    packed += 4;
    const end = packed + steps * <u32>bytes;
    memory.fill(packed, 0, end - packed);
    for (let p: u32 = 0; p < places; p++) {
      const j = first + p * block, last = min(n, j + block);
      let to = packed, place: u32 = 0;
      for (let i: u32 = 0; i < k; i++) {
        if (!isKept(mask + i * n, j, last)) continue;
        place = placeOf(i, kw, c, row, pixel, channel);
        store<u32>(to + (p << 2), place);
        for (let column = j; column < last; column++) {
          const at: usize = i * n + column;
          if (load<u8>(mask + at)) store<u32>(to + ((places + column - first) << 2), load<u32>(b + (at << 2)));
        }
        to += bytes;
      }
      for (; to < end; to += bytes) store<u32>(to + (p << 2), place);
    }
    packed = end;
  }
}

/** Whether any of the columns from j to `end` is kept in a row. */
function isKept(mask: usize, j: u32, end: u32): bool {
  for (; j < end; j++) if (load<u8>(mask + j)) return true;
  return false;
}
