// Images read elsewhere: where each pixel of the result comes from, written as geometry.
import { type Array64, at, fill } from "./array.js";

export interface Motion {
  readonly kind: "mirror" | "zoom" | "zoomEvenly" | "turn" | "shift" | "crop";
  readonly rows: readonly [number, number];
  readonly columns: readonly [number, number];
}

export interface Reading {
  readonly interpolation: "nearest" | "bilinear";
  readonly fillMode: "constant" | "nearest" | "reflect" | "wrap";
  readonly fillValue: number;
  readonly size: readonly [number, number];
}

/** Row and column of x [h, w] at which the pixel (i, j) is read, for numbers a and b. */
function source(kind: Motion["kind"], a: number, b: number, h: number, w: number) {
  const [cy, cx] = [(h - 1) / 2, (w - 1) / 2];
  return (i: number, j: number): [row: number, column: number] => {
    if (kind === "mirror") return [a < 0 ? h - 1 - i : i, b < 0 ? w - 1 - j : j];
    if (kind === "shift") return [i - a, j - b];
    if (kind === "crop") return [i + Math.floor(a), j + Math.floor(b)];
    if (kind !== "turn") return [cy + (i - cy) * a, cx + (j - cx) * (kind === "zoom" ? b : a)];
    const [sine, cosine] = [Math.sin(2 * Math.PI * a), Math.cos(2 * Math.PI * a)];
    return [cy + sine * (j - cx) + cosine * (i - cy), cx + cosine * (j - cx) - sine * (i - cy)];
  };
}

/** Which of n pixels stands at i, undefined for none: one step after the other. */
function beyond(i: number, n: number, mode: Reading["fillMode"]): number | undefined {
  if (i >= 0 && i < n) return i;
  if (mode === "constant") return undefined;
  if (mode === "nearest") return i < 0 ? 0 : n - 1;
  if (mode === "wrap") return beyond(i < 0 ? i + n : i - n, n, mode);
  return beyond(i < 0 ? -1 - i : 2 * n - 1 - i, n, mode);
}

/** Images [batch, h, w, channels] with numbers u [batch, 2] in [0, 1). */
export const transform =
  ({ kind, rows, columns }: Motion, { interpolation, fillMode, fillValue, size }: Reading) =>
  (x: Array64, u: Array64): Array64 => {
    const [batch, h, w, channels] = x.shape;
    const between = ([low, high]: readonly [number, number], share: number) => low + share * (high - low);
    return fill([batch, ...size, channels], (n, i, j, c) => {
      const from = source(kind, between(rows, at(u, n, 0)), between(columns, at(u, n, 1)), h, w);
      const [row, column] = from(i, j);
      const pixel = (r: number, s: number): number => {
        const [p, q] = [beyond(r, h, fillMode), beyond(s, w, fillMode)];
        return p === undefined || q === undefined ? fillValue : at(x, n, p, q, c);
      };
      if (interpolation === "nearest") return pixel(Math.floor(row + 0.5), Math.floor(column + 0.5));
      const [r, s] = [Math.floor(row), Math.floor(column)];
      const [t, v] = [row - r, column - s];
      const along = (k: number) => pixel(k, s) * (1 - v) + pixel(k, s + 1) * v;
      return along(r) * (1 - t) + along(r + 1) * t;
    });
  };
