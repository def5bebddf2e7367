// qgemm.ts with a dot product of bytes: the same kernels under the same names, for the family int8dot. Terms go in fours, and nothing is
// widened or interleaved: some rows of the image at a time are written out with what is around them, as the instruction wants their
// bytes, and windows are read from there.

import { dot, flipOf, shift } from "./dot";
import { lowOf, offsetOf, requantizeEight, requantizeTwice, storeBytes, storeFour } from "./requantize";

/** Columns of a panel: 16, of the last one 8 where no more are left. */
// @ts-ignore: decorator
@inline
function widthOf(left: u32): u32 {
  return left > 8 ? 16 : 8;
}

/**
 * Bytes from one panel to the next: those of panels of pairs in qgemm.ts, so that one rule divides both among threads. A panel has biases
 * (i32), factors (f32), and for every four terms four bytes of each column.
 */
// @ts-ignore: decorator
@inline
function panelBytes(width: u32, runs: u32, run: u32): usize {
  return <usize>width * (8 + 4 * runs * ((run + 1) >> 1));
}

/** As in qgemm.ts for fZero 0, but for what is in a panel. */
export function i8_gemm_pack(
  runs: u32, run: u32, n: u32, groups: u32, zero: i32, _fZero: i32,
  f: usize, bias: usize, factors: usize, packed: usize,
): void {
  const ng = n / groups, offset = zero + shift();
  for (let g: u32 = 0; g < groups; g++) {
    for (let j: u32 = 0; j < ng; j += 16) {
      const width = widthOf(ng - j);
      packPanel(runs, run, n, min<u32>(width, ng - j), width, offset, g * ng + j, f, bias, factors, packed);
      packed += panelBytes(width, runs, run);
    }
  }
}

function packPanel(
  runs: u32, run: u32, n: u32, columns: u32, width: u32, offset: i32, first: u32,
  f: usize, bias: usize, factors: usize, packed: usize,
): void {
  const at = <usize>first << 2, head = <usize>width << 2;
  memory.fill(packed, 0, panelBytes(width, runs, run));
  if (bias) memory.copy(packed, bias + at, columns << 2);
  memory.copy(packed + head, factors + at, columns << 2);
  let row = f + first, to = packed + 2 * head;
  for (let r: u32 = 0; r < runs; r++) {
    for (let t: u32 = 0; t < run; t++, row += n) {
      for (let k: u32 = 0; k < columns; k++) {
        const w = load<i8>(row + k), sum = packed + (k << 2);
        store<i32>(sum, load<i32>(sum) - offset * w);
        store<i8>(to + (k << 2) + (t & 3), w);
      }
      if ((t & 3) == 3 || t + 1 == run) to += head;
    }
  }
}

/**
 * y [count, columns] = so many windows of x times a panel of 16 columns, two at a time; y's rows are `stride` bytes apart. `ow` windows
 * begin `across` bytes apart, the next ones `down` bytes below. A window is kh rows, `below` bytes apart, of `taps` runs, `beside` apart.
 */
function sixteen(
  count: u32, ow: u32, across: usize, down: usize, kh: u32, below: usize, taps: u32, beside: usize, run: u32,
  x: usize, packed: usize, y: usize, columns: u32, stride: usize, zero: i32, low: i32, high: i32,
): void {
  const least = lowOf(low, zero), offset = offsetOf(zero), most = i8x16.splat(<i8>high);
  for (let r: u32 = 0, j: u32 = 0, next = x; r < count; r += 2) {
    let p = next;
    if (++j == ow) {
      j = 0;
      next = x += down;
    } else {
      next += across;
    }
    let q = next;
    if (r + 1 == count) {
      q = p;
    } else if (++j == ow) {
      j = 0;
      next = x += down;
    } else {
      next += across;
    }
    let c00 = v128.load(packed), c01 = v128.load(packed, 16), c02 = v128.load(packed, 32), c03 = v128.load(packed, 48);
    let c10 = c00, c11 = c01, c12 = c02, c13 = c03, b = packed + 128;
    for (let v = kh; v; v--, p += below, q += below) {
      for (let u: u32 = 0, at: usize = 0; u < taps; u++, at += beside) {
        for (let t = at, end = at + run; t < end; t += 4, b += 64) {
          const b0 = v128.load(b), b1 = v128.load(b, 16), b2 = v128.load(b, 32), b3 = v128.load(b, 48);
          let a = v128.load32_splat(p + t);
          c00 = dot(b0, a, c00);
          c01 = dot(b1, a, c01);
          c02 = dot(b2, a, c02);
          c03 = dot(b3, a, c03);
          a = v128.load32_splat(q + t);
          c10 = dot(b0, a, c10);
          c11 = dot(b1, a, c11);
          c12 = dot(b2, a, c12);
          c13 = dot(b3, a, c13);
        }
      }
    }
    const f0 = v128.load(packed, 64), f1 = v128.load(packed, 80);
    const f2 = v128.load(packed, 96), f3 = v128.load(packed, 112);
    const first = i8x16.narrow_i16x8_s(
      requantizeEight(c00, c01, f0, f1, least, offset), requantizeEight(c02, c03, f2, f3, least, offset),
    );
    storeRow(y, i8x16.min_s(first, most), columns);
    y += stride;
    if (r + 1 == count) return;
    const second = i8x16.narrow_i16x8_s(
      requantizeEight(c10, c11, f0, f1, least, offset), requantizeEight(c12, c13, f2, f3, least, offset),
    );
    storeRow(y, i8x16.min_s(second, most), columns);
    y += stride;
  }
}

/** Stores the first `columns` of 16 bytes, 8 at least. */
// @ts-ignore: decorator
@inline
function storeRow(y: usize, bytes: v128, columns: u32): void {
  if (columns >= 16) {
    v128.store(y, bytes);
  } else {
    v128.store64_lane(y, bytes, 0);
    storeBytes(y + 8, i64x2.extract_lane(bytes, 1), columns - 8);
  }
}

/** The same for a panel of 8 columns, four windows at a time. */
function eight(
  count: u32, ow: u32, across: usize, down: usize, kh: u32, below: usize, taps: u32, beside: usize, run: u32,
  x: usize, packed: usize, y: usize, columns: u32, stride: usize, zero: i32, low: i32, high: i32,
): void {
  const least = lowOf(low, zero), offset = offsetOf(zero), most = i8x16.splat(<i8>high);
  for (let r: u32 = 0, j: u32 = 0, next = x; r < count; r += 4, y += stride << 2) {
    // Where four windows begin; past the last one it stands in.
    let p0 = next, p1 = next, p2 = next, p3 = next;
    for (let k: u32 = 1; k <= 4 && r + k < count; k++) {
      if (++j == ow) {
        j = 0;
        next = x += down;
      } else {
        next += across;
      }
      if (k == 1) p1 = next;
      else if (k == 2) p2 = next;
      else if (k == 3) p3 = next;
    }
    let c00 = v128.load(packed), c01 = v128.load(packed, 16), b = packed + 64;
    let c10 = c00, c11 = c01, c20 = c00, c21 = c01, c30 = c00, c31 = c01;
    for (let v = kh; v; v--, p0 += below, p1 += below, p2 += below, p3 += below) {
      for (let u: u32 = 0, at: usize = 0; u < taps; u++, at += beside) {
        for (let t = at, end = at + run; t < end; t += 4, b += 32) {
          const b0 = v128.load(b), b1 = v128.load(b, 16);
          let a = v128.load32_splat(p0 + t);
          c00 = dot(b0, a, c00);
          c01 = dot(b1, a, c01);
          a = v128.load32_splat(p1 + t);
          c10 = dot(b0, a, c10);
          c11 = dot(b1, a, c11);
          a = v128.load32_splat(p2 + t);
          c20 = dot(b0, a, c20);
          c21 = dot(b1, a, c21);
          a = v128.load32_splat(p3 + t);
          c30 = dot(b0, a, c30);
          c31 = dot(b1, a, c31);
        }
      }
    }
    const f0 = v128.load(packed, 32), f1 = v128.load(packed, 48);
    const y01 = requantizeTwice(c00, c01, c10, c11, f0, f1, least, offset, most);
    const y23 = requantizeTwice(c20, c21, c30, c31, f0, f1, least, offset, most);
    storeFour(y, stride, y01, y23, count - r, columns);
  }
}

/** One row times a panel of 16 columns: two sums for each column, so that no instruction waits for the one before it. */
function oneRow(
  columns: u32, fours: u32, x: usize, packed: usize, y: usize, zero: i32, low: i32, high: i32,
): void {
  let c0 = v128.load(packed), c1 = v128.load(packed, 16), c2 = v128.load(packed, 32), c3 = v128.load(packed, 48);
  let d0 = i32x4.splat(0), d1 = d0, d2 = d0, d3 = d0, b = packed + 128;
  for (; fours > 1; fours -= 2, x += 8, b += 128) {
    let a = v128.load32_splat(x);
    c0 = dot(v128.load(b), a, c0);
    c1 = dot(v128.load(b, 16), a, c1);
    c2 = dot(v128.load(b, 32), a, c2);
    c3 = dot(v128.load(b, 48), a, c3);
    a = v128.load32_splat(x, 4);
    d0 = dot(v128.load(b, 64), a, d0);
    d1 = dot(v128.load(b, 80), a, d1);
    d2 = dot(v128.load(b, 96), a, d2);
    d3 = dot(v128.load(b, 112), a, d3);
  }
  if (fours) {
    const a = v128.load32_splat(x);
    c0 = dot(v128.load(b), a, c0);
    c1 = dot(v128.load(b, 16), a, c1);
    c2 = dot(v128.load(b, 32), a, c2);
    c3 = dot(v128.load(b, 48), a, c3);
  }
  const least = lowOf(low, zero), offset = offsetOf(zero);
  const left = requantizeEight(
    i32x4.add(c0, d0), i32x4.add(c1, d1), v128.load(packed, 64), v128.load(packed, 80), least, offset,
  );
  const right = requantizeEight(
    i32x4.add(c2, d2), i32x4.add(c3, d3), v128.load(packed, 96), v128.load(packed, 112), least, offset,
  );
  storeRow(y, i8x16.min_s(i8x16.narrow_i16x8_s(left, right), i8x16.splat(<i8>high)), columns);
}

/** As in qwinograd.ts, by the direct method: with bytes it is never slower. */
export function i8_conv2d_3x3_pack(
  c: u32, n: u32, zero: i32, f: usize, bias: usize, factors: usize, packed: usize,
): void {
  i8_gemm_pack(3, 3 * c, n, 1, zero, 0, f, bias, factors, packed);
}

/** As in qwinograd.ts. */
export function i8_conv2d_3x3(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, top: u32, left: u32, n: u32, block: u32,
  inZero: i32, outZero: i32, low: i32, high: i32, x: usize, packed: usize, scratch: usize, y: usize,
): void {
  i8_conv2d(
    batch, h, w, c, oh, ow, 3, 3, 1, 1, 1, 1, top, left, n, 1, block,
    inZero, outZero, low, high, x, packed, scratch, y,
  );
}

/** Bytes of an image that are written out at a time, or the rows of one window: with a panel they fit the first-level cache. */
const BAND: usize = 16384;

/** As in qgemm.ts. */
export function i8_conv2d(
  batch: u32, h: u32, w: u32, c: u32, oh: u32, ow: u32, kh: u32, kw: u32, sh: u32, sw: u32, dh: u32, dw: u32,
  top: u32, left: u32, n: u32, groups: u32, _block: u32, inZero: i32, outZero: i32, low: i32, high: i32,
  x: usize, packed: usize, scratch: usize, y: usize,
): void {
  if (kh * kw * sh * sw == 1 && oh == h && ow == w && !(top | left)) {
    // Every pixel by itself: a column of them.
    h = oh = batch * h * w;
    batch = w = ow = 1;
  }
  if (!(batch * oh * ow)) return;
  const cg = c / groups, ng = n / groups, whole = groups == 1 && (dw == 1 || kw == 1), more = shift();
  const taps: u32 = whole ? 1 : kw, run = (whole ? kw : 1) * cg, reach = (kh - 1) * dh + 1;
  const width = (ow - 1) * sw + (kw - 1) * dw + 1, line = <usize>width * cg, lines = line ? <u32>(BAND / line) : 0;
  const band: u32 = lines > reach ? (lines - reach) / sh + 1 : 1, down = line * sh, across = <usize>sw * cg;
  const below = line * dh, beside = <usize>dw * cg, size = <usize>h * w * c;
  for (let g: u32 = 0; g < groups; g++) {
    for (let b: u32 = 0; b < batch; b++) {
      for (let i: u32 = 0; i < oh; i += band) {
        const rows = min<u32>(band, oh - i), count = rows * ow;
        let panel = packed, to = y + <usize>(b * oh + i) * ow * n + g * ng, from = x + size * b + g * cg;
        writeOut((rows - 1) * sh + reach, width, i * sh - top, left, h, w, c, cg, inZero, more, from, scratch);
        for (let k: u32 = 0; k < ng; k += 16, to += 16) {
          const columns = min<u32>(16, ng - k);
          if (columns <= 8) {
            eight(
              count, ow, across, down, kh, below, taps, beside, run, scratch, panel, to, columns, n, outZero, low, high,
            );
          } else if (count * kh * taps == 1) {
            oneRow(columns, (run + 3) >> 2, scratch, panel, to, outZero, low, high);
          } else {
            sixteen(
              count, ow, across, down, kh, below, taps, beside, run, scratch, panel, to, columns, n, outZero, low, high,
            );
          }
          panel += panelBytes(widthOf(columns), kh * taps, run);
        }
      }
    }
    for (let k: u32 = 0; k < ng; k += 16) packed += panelBytes(widthOf(ng - k), kh * taps, run);
  }
}

/**
 * to [rows, width, cg] = the first cg channels of x [h, w, c] from row v on and from `left` columns before the first, `zero` outside
 * it, all of them more by `shift`; writes up to 15 bytes more, and reads as many.
 */
function writeOut(
  rows: u32, width: u32, v: u32, left: u32, h: u32, w: u32, c: u32, cg: u32, zero: i32, shift: i32, x: usize, to: usize,
): void {
  const before = <usize>min<u32>(left, width) * cg, columns = <u32>max<i32>(min<i32>(width - left, w), 0);
  const flip = flipOf(shift), none = <u8>(zero ^ shift);
  let inside = <usize>columns * cg, line = <usize>width * cg;
  if (c == cg && width == w && !left && v < h && v + rows <= h) {
    // Rows that lie one after the other are one.
    inside = line *= rows;
    x += <usize>v * w * c;
    v = 0;
    rows = 1;
  }
  for (; rows; rows--, v++, to += line) {
    if (v >= h) {
      memory.fill(to, none, line);
      continue;
    }
    for (let t: usize = 0; t < before; t++) store<u8>(to + t, none);
    let at = to + before, from = x + <usize>v * w * c;
    if (c == cg) {
      for (let t: usize = 0; t < inside; t += 16) v128.store(at + t, v128.xor(v128.load(from + t), flip));
    } else {
      for (let u = columns; u; u--, from += c) {
        for (let t: usize = 0; t < cg; t += 16) v128.store(at + t, v128.xor(v128.load(from + t), flip));
        at += cg;
      }
      at = to + before;
    }
    for (let t = before + inside; t < line; t++) store<u8>(to + t, none);
  }
}
