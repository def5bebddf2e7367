// Arrays `{ shape, data }` with their axes in another order: images are NHWC and filters HWIO here, NCHW and OIHW at some peers.

/** `axes` of a row-major array in a new order. */
export function transpose({ data, shape }, axes) {
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const order = axes.map((axis) => shape[axis]);
  const result = new data.constructor(data.length);
  const index = order.map(() => 0); // in the result
  for (let i = 0; i < result.length; i++) {
    result[i] = data[axes.reduce((sum, axis, k) => sum + index[k] * strides[axis], 0)];
    for (let k = axes.length - 1; k >= 0 && ++index[k] === order[k]; k--) index[k] = 0;
  }
  return { shape: order, data: result };
}

/** Images to NCHW. */
export const nchw = (x) => transpose(x, [0, 3, 1, 2]);

/** The numbers of NCHW images of an NHWC `shape`, as NHWC. */
export const nhwc = (data, [n, h, w, c]) => transpose({ data, shape: [n, c, h, w] }, [0, 2, 3, 1]).data;

/** Filters to OIHW; depthwise ones, [h, w, c, 1], to [c, 1, h, w]. */
export const oihw = (filter, depthwise = false) => transpose(filter, depthwise ? [2, 3, 0, 1] : [3, 2, 0, 1]);

/** `axes` of an array backwards. */
export function flip({ data, shape }, axes) {
  const result = new data.constructor(data.length);
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  for (let i = 0; i < data.length; i++) {
    const index = shape.map((size, axis) => Math.floor(i / strides[axis]) % size);
    for (const axis of axes) index[axis] = shape[axis] - 1 - index[axis];
    result[i] = data[index.reduce((sum, each, axis) => sum + each * strides[axis], 0)];
  }
  return { shape, data: result };
}
