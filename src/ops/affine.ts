// Images moved, turned, stretched and mirrored at random while a model is trained: layers/augmentation.ts.
import { ShapeError } from "../errors.js";
import { type Check, integer, integers, number, oneOf } from "../graph/attrs.js";
import { defineOp, type Gradients, type Trained } from "../graph/op.js";
import { apply, type Value } from "../graph/value.js";
import { show, sizeOf } from "../shape.js";
import { add, mul, sub } from "./arithmetic.js";
import { wantDType, wantRank } from "./check.js";
import { clip } from "./comparison.js";
import { argument } from "./leaf.js";
import { RNG } from "./random.js";
import { mean } from "./reduce.js";
import { reshape } from "./shape.js";
import { stridedSlice } from "./slice.js";

type Pair = readonly [number, number];

/** In the order of the kernels' numbers. */
const motions = ["mirror", "zoom", "zoomEvenly", "turn", "shift", "crop"] as const;
const fills = ["constant", "nearest", "reflect", "wrap"] as const;

/** How an image goes on beyond its border: a number, its outermost pixels, itself mirrored, itself again. */
export type FillMode = (typeof fills)[number];

interface Reading {
  readonly interpolation: "nearest" | "bilinear";
  readonly fillMode: FillMode;
  readonly fillValue: number;
}

/** What becomes of positions: assembly/affine.ts says what the numbers mean. */
interface Motion {
  readonly kind: (typeof motions)[number];
  /** What is drawn for rows lies between these numbers, */
  readonly rows: Pair;
  /** and this for columns. Shares of the image's size for "shift". */
  readonly columns: Pair;
}

interface TransformAttrs extends Motion, Reading {
  /** Height and width of the result; null as the image's. */
  readonly size: Pair | null;
  readonly stream: number;
}

interface AdjustAttrs {
  readonly kind: "contrast" | "brightness";
  readonly range: Pair;
  /** What pixels are clipped to. */
  readonly valueRange: Pair;
  readonly stream: number;
}

const pair: Check = (value) =>
  Array.isArray(value) && value.length === 2 && value.every(Number.isFinite) ? undefined : "two numbers";
const kinds = oneOf("mirror", "zoom", "zoomEvenly", "turn", "shift", "crop");
const interpolations = oneOf("nearest", "bilinear");
const fillModes = oneOf("constant", "nearest", "reflect", "wrap");
const size = integers(1, 2, 2 ** 16);
/** Of an image that is read: it may have no pixels. */
const sizeFrom = integers(0, 2);

const wantImage = (op: string, x: { shape: readonly number[]; dtype: Value["dtype"] }) => {
  wantRank(op, 4, "an image [height, width, channels]", x);
  wantDType(op, "float32", x);
};

export const affineOps = {
  /** An image of each sample's own map while a model is trained; else the image, or its middle for "crop". */
  randomTransform: defineOp<TransformAttrs>("randomTransform", {
    attrs: {
      kind: kinds,
      rows: pair,
      columns: pair,
      interpolation: interpolations,
      fillMode: fillModes,
      fillValue: number(),
      size: (v) => (v === null ? undefined : size(v)),
      stream: integer(0),
    },
    infer([x], { kind, size }) {
      wantImage("randomTransform", x);
      const [, h, w] = x.shape;
      if (size && (kind === "crop" || h * w === 0) && (size[0] > h || size[1] > w)) {
        const expected = `an image of at least ${show(size)} pixels`;
        throw new ShapeError({ op: "randomTransform", expected, actual: show(x.shape.slice(1)) });
      }
      return { shape: [x.shape[0], ...(size ?? [h, w]), x.shape[3]], dtype: "float32" };
    },
    inference: ([x], { kind, size }): Value => (kind === "crop" && size ? middle(x, size) : x),
    training([x, rng], { kind, rows, columns, size, stream, ...how }): Trained {
      const [, h, w] = x.shape;
      const to = size ?? [h, w];
      const scaled = (range: Pair, n: number): Pair => (kind === "shift" ? [range[0] * n, range[1] * n] : range);
      const u = apply(affineOps.randomNumbers, [x, rng], { count: 2, stream });
      const maps = apply(affineOps.affineMaps, [u], {
        kind,
        rows: scaled(rows, h),
        columns: scaled(columns, w),
        size: [h, w],
      });
      return { value: apply(affineOps.affine, [x, maps], { ...how, size: to }) };
    },
    random: true,
  }),
  /** Contrast or brightness of each sample's own while a model is trained; else the image. */
  randomAdjustment: defineOp<AdjustAttrs>("randomAdjustment", {
    attrs: { kind: oneOf("contrast", "brightness"), range: pair, valueRange: pair, stream: integer(0) },
    infer([x]) {
      wantImage("randomAdjustment", x);
      return { shape: x.shape, dtype: "float32" };
    },
    inference: ([x]) => x,
    training([x, rng], { kind, range: [low, high], valueRange: [least, most], stream }): Trained {
      const numbers = apply(affineOps.randomNumbers, [x, rng], { count: 1, stream });
      const u = reshape(numbers, [x.shape[0], 1, 1, 1]);
      const drawn = add(mul(u, high - low), low);
      if (kind === "brightness") return { value: clip(add(x, mul(drawn, most - least)), least, most) };
      const center = mean(x, [1, 2], { keepDims: true });
      return { value: clip(add(mul(sub(x, center), drawn), center), least, most) };
    },
    random: true,
  }),
  /** `count` numbers in [0, 1) for each sample of x. */
  randomNumbers: defineOp<{ count: number; stream: number }>("randomNumbers", {
    internal: true,
    attrs: { count: integer(1, 8), stream: integer(0) },
    infer: ([x], { count }) => ({ shape: [x.shape[0], count], dtype: "float32" }),
    grad: (): Gradients => [],
    lower: (emit, { inputs: [, rng], outputs: [u] }, { stream }) =>
      emit.call("f32_random_uniform", sizeOf(u.shape), rng, u, 0, 1, stream),
    random: true,
  }),
  /** Maps [batch, 6] from numbers [batch, 2] in [0, 1), for images of `size`. */
  affineMaps: defineOp<Motion & { size: Pair }>("affineMaps", {
    internal: true,
    attrs: { kind: kinds, rows: pair, columns: pair, size: sizeFrom },
    infer: ([u]) => ({ shape: [u.shape[0], 6], dtype: "float32" }),
    grad: (): Gradients => [],
    lower: (emit, { inputs: [u], outputs: [maps] }, { kind, rows, columns, size }) =>
      emit.call("f32_affine_maps", u.shape[0], ...size, motions.indexOf(kind), u, maps, ...rows, ...columns),
  }),
  /** Images read where maps say. */
  affine: defineOp<Reading & { size: Pair }>("affine", {
    internal: true,
    attrs: { interpolation: interpolations, fillMode: fillModes, fillValue: number(), size },
    infer: ([x], { size }) => ({ shape: [x.shape[0], ...size, x.shape[3]], dtype: "float32" }),
    grad: ({ inputs: [x, maps] }, [dy], { interpolation, fillMode }): Gradients => [
      apply(affineOps.affineGrad, [dy as Value, maps], { interpolation, fillMode, size: x.shape.slice(1, 3) }),
      undefined,
    ],
    lower(emit, { inputs: [x, maps], outputs: [y] }, { interpolation, fillMode, fillValue, size }) {
      const [n, h, w, c] = x.shape;
      const how = [Number(interpolation === "bilinear"), fills.indexOf(fillMode)] as const;
      emit.call("f32_affine", n, h, w, c, ...size, ...how, x, maps, y, fillValue);
    },
    flops: ({ outputs: [y] }, { interpolation }) => (interpolation === "bilinear" ? 7 : 0) * sizeOf(y.shape),
  }),
  /** dx of affine; `size` is that of x. */
  affineGrad: defineOp<Omit<Reading, "fillValue"> & { size: Pair }>("affineGrad", {
    internal: true,
    attrs: { interpolation: interpolations, fillMode: fillModes, size: sizeFrom },
    infer: ([dy], { size }) => ({ shape: [dy.shape[0], ...size, dy.shape[3]], dtype: "float32" }),
    lower(emit, { inputs: [dy, maps], outputs: [dx] }, { interpolation, fillMode }) {
      const [n, h, w, c] = dx.shape;
      const how = [Number(interpolation === "bilinear"), fills.indexOf(fillMode)] as const;
      emit.call("f32_affine_grad", n, h, w, c, dy.shape[1], dy.shape[2], ...how, dy, maps, dx);
    },
    flops: ({ inputs: [dy] }, { interpolation }) => (interpolation === "bilinear" ? 8 : 1) * sizeOf(dy.shape),
  }),
};

/** The middle of an image, of `size` pixels; where that is not even, a pixel nearer to the upper left. */
export function middle(x: Value, [height, width]: Pair): Value {
  const [top, left] = [(x.shape[1] - height) >> 1, (x.shape[2] - width) >> 1];
  return top === 0 && left === 0 && x.shape[1] === height && x.shape[2] === width
    ? x
    : stridedSlice(x, [null, top, left], [null, top + height, left + width]);
}

/** Another map of each image while a model is trained. */
export const randomTransform = (
  x: Value,
  { size = null, ...how }: Motion & Reading & { readonly size?: Pair | null },
): Value => apply(affineOps.randomTransform, [x, argument(RNG, [3], "int32")], { ...how, size, stream: 0 });

/** Another contrast or brightness of each image while a model is trained. */
export const randomAdjustment = (x: Value, how: Omit<AdjustAttrs, "stream">): Value =>
  apply(affineOps.randomAdjustment, [x, argument(RNG, [3], "int32")], { ...how, stream: 0 });
