// A data set that needs no download: handwriting-like digits drawn from pen strokes. Not a replacement for MNIST, but of its
// shape and range, so that what trains on one trains on the other. The strokes themselves are in glyphs.ts.
//
// Every number here comes from + - * /, Math.sqrt and integer arithmetic, which ECMAScript defines to the last bit (it leaves
// Math.sin, Math.exp and the like to the engine): the images are the same in every runtime.

import { rangeError } from "../errors.js";
import { type Draws, draws, permutation } from "../philox.js";
import { type Tensor, tensor } from "../tensor.js";
import { glyphs, strokes } from "./glyphs.js";

const SIZE = 28;
const PIXELS = SIZE * SIZE;
/** The most samples: their pixels fill 4 GiB. */
const MOST = Math.floor(2 ** 30 / PIXELS);
/** The unit square of the glyphs becomes this many pixels, before distortion. */
const UNIT = 19;
/** Straight pieces per quadratic curve: they stay within about a tenth of a pixel of it. */
const PIECES = 6;

/**
 * Draws `count` labelled handwriting-like digits: strokes under random rotation, shear, scale, bend, thickness and noise.
 *
 * Sample i depends on `seed` and i only, so a longer set starts with the shorter one, and each ten samples in a row hold each
 * digit once, in random order. Train and test sets are two seeds. Pixels are k / 255 for a whole k, as in MNIST.
 *
 * @param options.count number of samples, default 1000
 * @param options.seed whole number below 2^53, default 0
 * @returns `x` float32 [count, 28, 28, 1] in [0, 1], 0 = paper, 1 = ink; `y` int32 [count], the digit 0 to 9
 * @throws {RangeError} when `count` or `seed` is not such a whole number
 * @example
 * const train = digits({ count: 5000, seed: 1 });
 * const test = digits({ count: 1000, seed: 2 });
 */
export function digits({ count = 1000, seed = 0 }: { count?: number; seed?: number } = {}): { x: Tensor; y: Tensor } {
  checkWhole("count", count, MOST);
  checkWhole("seed", seed, Number.MAX_SAFE_INTEGER);
  const x = new Float32Array(count * PIXELS);
  const y = new Int32Array(count);
  const hands = glyphs.map((ways) => ways.map(strokes));
  let order = new Uint32Array(0);
  for (let i = 0; i < count; i++) {
    if (i % 10 === 0) order = permutation(10, seed, 2 * i + 1); // odd indices order the tens, even ones draw
    const digit = order[i % 10];
    y[i] = digit;
    drawDigit(draws(seed, 2 * i), hands[digit], x.subarray(i * PIXELS, (i + 1) * PIXELS));
  }
  return { x: tensor(x, [count, SIZE, SIZE, 1]), y: tensor(y, [count]) };
}

function checkWhole(name: string, value: unknown, most: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most) return;
  throw rangeError({ op: "digits", expected: `${name} to be a whole number from 0 to ${most}`, actual: String(value) });
}

/** Draws a digit in one of the ways to write it into `pixels` [28 * 28], which are zero. */
function drawDigit(random: Draws, hands: readonly Float64Array[][], pixels: Float32Array): void {
  const glyph = hands[Math.floor(random.uniform(0, hands.length))];
  const haste = random.uniform(0, 1); // a hasty hand strays further from the glyph
  const place = distortion(random, 0.7 + 0.6 * haste);
  const jitter = 0.01 + 0.19 * haste * haste;
  const radius = random.uniform(0.75, 1.9); // of the pen, in pixels
  for (const stroke of glyph) drawStroke(bend(stroke, random, jitter, place), radius, pixels);
  const ink = random.uniform(0.8, 1);
  const grain = random.uniform(0, 0.14);
  for (let i = 0; i < PIXELS; i += 4) {
    let bytes = random.bits(); // one for each of four pixels
    for (let j = i; j < i + 4; j++, bytes >>>= 8) {
      const value = pixels[j] * ink + grain * ((bytes & 255) / 127.5 - 1);
      pixels[j] = Math.floor(Math.min(1, Math.max(0, value)) * 255 + 0.5) / 255;
    }
  }
}

type Place = (x: number, y: number) => [x: number, y: number];

/** A random map from the unit square of the glyphs to pixels: bend, then scale, shear, rotate and shift. */
function distortion(random: Draws, strength: number): Place {
  const turn = 0.55 * strength * random.bell(); // tangent of the angle
  const cos = 1 / Math.sqrt(1 + turn * turn);
  const sin = turn * cos;
  const shear = 0.7 * strength * random.bell();
  const scaleX = UNIT * random.uniform(0.68, 1.08);
  const scaleY = UNIT * random.uniform(0.85, 1.1);
  const bendX = 0.8 * strength * random.bell();
  const bendY = 0.6 * strength * random.bell();
  const shiftX = SIZE / 2 + 3.5 * random.bell();
  const shiftY = SIZE / 2 + 3.5 * random.bell();
  return (x, y) => {
    const u = x - 0.5;
    const v = y - 0.5;
    const a = (u + bendX * v * v - shear * v) * scaleX;
    const b = (v + bendY * u * u) * scaleY;
    return [cos * a - sin * b + shiftX, sin * a + cos * b + shiftY];
  };
}

/** The stroke's points, each moved a little and then placed in the image. */
function bend(stroke: Float64Array, random: Draws, jitter: number, place: Place): Float64Array {
  const points = new Float64Array(stroke.length);
  for (let i = 0; i < stroke.length; i += 2) {
    const x = stroke[i] + jitter * random.bell();
    const y = stroke[i + 1] + jitter * random.bell();
    points.set(place(x, y), i);
  }
  return points;
}

/** Draws the quadratic B-spline that the points [n, 2] steer. */
function drawStroke(points: Float64Array, radius: number, pixels: Float32Array): void {
  const last = points.length - 2;
  let fromX = points[0];
  let fromY = points[1];
  for (let i = 2; i < last; i += 2) {
    // One curve from joint to joint; joints lie midway between points, but the last is the last point itself.
    const viaX = points[i];
    const viaY = points[i + 1];
    const nextX = points[i + 2];
    const nextY = points[i + 3];
    const toX = i + 2 === last ? nextX : (viaX + nextX) / 2;
    const toY = i + 2 === last ? nextY : (viaY + nextY) / 2;
    let x0 = fromX;
    let y0 = fromY;
    for (let piece = 1; piece <= PIECES; piece++) {
      const t = piece / PIECES;
      const s = 1 - t;
      const x1 = s * s * fromX + 2 * s * t * viaX + t * t * toX;
      const y1 = s * s * fromY + 2 * s * t * viaY + t * t * toY;
      drawLine(x0, y0, x1, y1, radius, pixels);
      x0 = x1;
      y0 = y1;
    }
    fromX = toX;
    fromY = toY;
  }
}

/** Draws a straight line of the pen's radius, smoothed: a pixel's ink falls from 1 to 0 over the pixel at the edge. */
function drawLine(x0: number, y0: number, x1: number, y1: number, radius: number, pixels: Float32Array): void {
  const dx = x1 - x0;
  const dy = y1 - y0;
  const length2 = dx * dx + dy * dy;
  const reach = radius + 0.5;
  const left = Math.max(0, Math.floor(Math.min(x0, x1) - reach));
  const right = Math.min(SIZE - 1, Math.floor(Math.max(x0, x1) + reach));
  const top = Math.max(0, Math.floor(Math.min(y0, y1) - reach));
  const bottom = Math.min(SIZE - 1, Math.floor(Math.max(y0, y1) + reach));
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      // From the pixel's middle to the nearest point of the line.
      const px = column + 0.5 - x0;
      const py = row + 0.5 - y0;
      const t = length2 > 0 ? Math.min(1, Math.max(0, (px * dx + py * dy) / length2)) : 0;
      const ex = px - t * dx;
      const ey = py - t * dy;
      const ink = Math.min(1, reach - Math.sqrt(ex * ex + ey * ey));
      const at = row * SIZE + column;
      if (ink > pixels[at]) pixels[at] = ink;
    }
  }
}
