// What kernels of int8 need beside their arguments, in bytes: for the planner, and for threads, each of which has its own.

/** Pairs of a sum of i8_conv2d: runs of filter elements that are neighbours in the image, each rounded up to a whole pair. */
export function pairsOf(kh: number, kw: number, c: number, dw: number, groups: number): number {
  const whole = groups === 1 && (dw === 1 || kw === 1);
  return kh * (whole ? 1 : kw) * Math.ceil((whole ? kw * c : c / groups) / 2);
}

/** Bytes of the image that assembly/qdot.ts writes out at a time, or the rows of one window. */
const BAND = 16384;

/** Rows of an image, written out for windows that reach over `reach` of them, `line` bytes each. */
const band = (line: number, reach: number, sh: number): number =>
  line * Math.max(reach, Math.floor(BAND / Math.max(1, line)) + sh) + 64;

/** i8_conv2d(batch, h, w, c, oh, ow, kh, kw, sh, sw, dh, dw, top, left, n, groups, block, ...), of either build. */
export function conv2dScratch(args: readonly number[]): number {
  const [, h, w, c, oh, ow, kh, kw, sh, sw, dh, dw, top, left, , groups, block] = args;
  const pairs = pairsOf(kh, kw, c, dw, groups);
  const rows = 4 * pairs * block + 5 * (kw * c) + 256;
  const alone = kh * kw * sh * sw === 1 && oh === h && ow === w && top + left === 0;
  const width = alone ? 1 : Math.max(0, ow - 1) * sw + (kw - 1) * dw + 1;
  return Math.max(rows, band((width * c) / groups, (kh - 1) * dh + 1, sh));
}

/** i8_conv2d_3x3(batch, h, w, c, oh, ow, top, left, n, block, ...), of either build. */
export function conv3x3Scratch(args: readonly number[]): number {
  const [, , , c, , ow, , , , block] = args;
  return Math.max(block * (32 * c + 512) + 16 * c, band((ow + 2) * c, 3, 1));
}

/** i8_depthwise_conv2d(batch, h, w, c, oh, ow, kh, kw, ...), of either build. */
export function depthwiseScratch(args: readonly number[]): number {
  const [, , w, c, , , kh, kw] = args;
  return 8 * kh * kw + (w + 1) * c + 48;
}
