// Ops that move numbers, in float64, index by index.
import { type Array64, at, fill, zeros } from "./array.js";

export const transpose =
  (axes: readonly number[]) =>
  (x: Array64): Array64 =>
    fill(
      axes.map((axis) => x.shape[axis]),
      (...i) => at(x, ...x.shape.map((_, axis) => i[axes.indexOf(axis)])),
    );

/** Along each axis, the indices that a result is made of. */
export const take =
  (...indices: readonly (readonly number[])[]) =>
  (x: Array64): Array64 =>
    fill(
      indices.map((list) => list.length),
      (...i) => at(x, ...i.map((k, axis) => indices[axis][k])),
    );

/** 0 to n - 1. */
export const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

export const pad =
  (paddings: readonly (readonly [number, number])[], value: number) =>
  (x: Array64): Array64 =>
    fill(
      x.shape.map((n, axis) => n + paddings[axis][0] + paddings[axis][1]),
      (...i) => {
        const from = i.map((k, axis) => k - paddings[axis][0]);
        return from.every((k, axis) => k >= 0 && k < x.shape[axis]) ? at(x, ...from) : value;
      },
    );

export const concat =
  (axis: number) =>
  (...arrays: Array64[]): Array64 => {
    const owners = arrays.flatMap((x) => upTo(x.shape[axis]).map((k) => ({ x, k })));
    return fill(
      arrays[0].shape.map((n, i) => (i === axis ? owners.length : n)),
      (...i) => at(owners[i[axis]].x, ...i.map((k, j) => (j === axis ? owners[i[axis]].k : k))),
    );
  };

export const gather =
  (axis: number) =>
  (x: Array64, indices: Array64): Array64 => {
    const rank = indices.shape.length;
    return fill([...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)], (...i) => {
      const index = at(indices, ...i.slice(axis, axis + rank));
      const inside = index >= 0 && index < x.shape[axis];
      return inside ? at(x, ...i.slice(0, axis), index, ...i.slice(axis + rank)) : 0;
    });
  };

export const scatterAdd =
  (axis: number, size: number) =>
  (updates: Array64, indices: Array64): Array64 => {
    const rank = indices.shape.length;
    const y = zeros(...updates.shape.slice(0, axis), size, ...updates.shape.slice(axis + rank));
    fill(updates.shape, (...i) => {
      const index = at(indices, ...i.slice(axis, axis + rank));
      const to = [...i.slice(0, axis), index, ...i.slice(axis + rank)];
      if (index >= 0 && index < size) y.data[to.reduce((n, k, j) => n * y.shape[j] + k, 0)] += at(updates, ...i);
      return 0;
    });
    return y;
  };

export const oneHot = (depth: number) => (indices: Array64) =>
  fill([...indices.shape, depth], (...i) => Number(at(indices, ...i.slice(0, -1)) === i[i.length - 1]));

const clamp = (i: number, n: number): number => Math.min(Math.max(i, 0), n - 1);

/** tf.image.resize: pixel i of m has its center at (i + 1/2) n / m - 1/2 of n. */
export const resize =
  ([h, w]: readonly [number, number], interpolation: "nearest" | "bilinear") =>
  (x: Array64): Array64 => {
    const [batch, rows, cols, channels] = x.shape;
    return fill([batch, h, w, channels], (b, i, j, c) => {
      const [u, v] = [((i + 0.5) * rows) / h, ((j + 0.5) * cols) / w];
      if (interpolation === "nearest") return at(x, b, Math.floor(u), Math.floor(v), c);
      const pixel = (r: number, s: number) => at(x, b, clamp(r, rows), clamp(s, cols), c);
      const [r, s] = [Math.floor(u - 0.5), Math.floor(v - 0.5)];
      const [p, q] = [u - 0.5 - r, v - 0.5 - s];
      const row = (k: number) => pixel(k, s) * (1 - q) + pixel(k, s + 1) * q;
      return row(r) * (1 - p) + row(r + 1) * p;
    });
  };
