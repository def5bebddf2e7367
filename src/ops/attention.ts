// Scaled dot-product attention as one kernel: no matrix of queries by keys is stored, forward or backward.
import { checkKeys, rangeError, ShapeError, told, typeError } from "../errors.js";
import { boolean, integer, number } from "../graph/attrs.js";
import { defineOp, type Gradients } from "../graph/op.js";
import { checkValue, make, type Node, type Spec, type Value } from "../graph/value.js";
import { sequence } from "../runtime/families/sequence.js";
import { show } from "../shape.js";
import { wantDType } from "./check.js";
import { argument } from "./leaf.js";
import { RNG } from "./random.js";

interface AttentionAttrs {
  readonly scale: number;
  readonly causal: boolean;
  /** Share of the probabilities that training zeroes. */
  readonly rate: number;
  readonly stream: number;
}

const OP = "scaledDotProductAttention";
/** Queries and keys that a block of the kernel holds. */
const BLOCK = 64;

const range = /* @__PURE__ */ number(-3e38, 3e38);
const share = /* @__PURE__ */ number(0, 1);
const whole = /* @__PURE__ */ integer(0);
const schema = { scale: range, causal: boolean, rate: share, stream: whole };
const floats = (shape: readonly number[]): Spec => ({ shape, dtype: "float32" });
const eights = (n: number): number => Math.ceil(n / 8) * 8;

/** A mask [batch, s], [batch, t, s] or [batch, heads, t, s] with all four axes. */
const maskAxes = ({ shape }: Spec): number[] => {
  const [batch, ...rest] = shape;
  return [batch, ...Array(4 - shape.length).fill(1), ...rest];
};

const sizes = (q: Spec, v: Spec) => {
  const [batch, t, heads, d] = q.shape;
  const [, s, groups, e] = v.shape;
  return { batch, t, s, heads, groups, d, e };
};

/** The arguments that both kernels begin with. `units` is what they divide: heads by blocks of rows, or groups. */
function call(node: Node, units: number, { scale, causal, rate, stream }: AttentionAttrs) {
  const [q, k, v] = node.inputs;
  const { t, s, heads, groups, d, e } = sizes(q, v);
  const mask = node.inputs.find(({ dtype }) => dtype === "bool");
  const rng = node.inputs.find(({ dtype }) => dtype === "int32");
  const axes = mask && maskAxes(mask);
  const steps = [1, 2, 3].map((axis) => axes?.slice(axis).reduce((n, size) => n * size, 1) ?? 0);
  const [ofBatch, ofHead, ofRow] = steps.map((step, axis) => (axes?.[axis] === 1 ? 0 : step));
  return {
    sizes: [0, units, t, s, heads, groups, d, e, Number(causal), ofBatch, ofHead, ofRow, stream] as const,
    given: [q, k, v, mask ?? 0, rng ?? 0] as const,
    scalars: [scale, rate] as const,
  };
}

const flops = (products: number, [q, , v]: readonly Value[], { causal }: AttentionAttrs): number => {
  const { batch, t, s, heads, d, e } = sizes(q, v);
  const both = Math.min(t, s);
  const pairs = causal ? (both * (both + 1)) / 2 + (t - both) * s : t * s;
  return products * batch * heads * pairs * (d + e);
};

export const attentionOps = {
  /**
   * Inputs q [batch, t, heads, d], k [batch, s, groups, d], v [batch, s, groups, e], a mask (bool) and random numbers (int32) where there
   * are. Results: y [batch, t, heads, e], the logarithm of the sum of exponentials of each row, and workspace.
   */
  scaledDotProductAttention: defineOp<AttentionAttrs>("scaledDotProductAttention", {
    attrs: schema,
    infer(inputs, { rate }) {
      const [q, k, v, ...others] = inputs;
      wantDType(OP, "float32", q, k, v);
      const mask = others.find(({ dtype }) => dtype === "bool");
      const wanted = [...(mask ? ["bool"] : []), ...(rate > 0 ? ["int32"] : [])];
      if (String(others.map(({ dtype }) => dtype)) !== String(wanted))
        throw typeError({
          op: OP,
          expected: "a mask of booleans, if any",
          actual: others.map(({ dtype }) => dtype).join(", "),
        });
      return attend(q, k, v, mask);
    },
    grad({ inputs, outputs: [y, lse] }, [dy], attrs): Gradients {
      if (!dy) return [];
      const [q, k, v, ...others] = inputs;
      return make(attentionOps.attentionGrad, [q, k, v, y, lse, dy, ...others], { ...attrs }).outputs.slice(0, 3);
    },
    lower(emit, node, attrs) {
      const { batch, t, heads } = sizes(node.inputs[0], node.inputs[2]);
      const { sizes: counts, given, scalars } = call(node, batch * heads * Math.ceil(t / BLOCK), attrs);
      const [y, lse, scratch] = node.outputs;
      emit.call("f32_attention", ...counts, ...given, y, lse, scratch, ...scalars);
    },
    inference: (inputs, attrs): Value =>
      make(
        attentionOps.scaledDotProductAttention,
        inputs.filter(({ dtype }) => dtype !== "int32"),
        { ...attrs, rate: 0 },
      ).outputs[0],
    flops: ({ inputs }, attrs) => flops(2, inputs, attrs),
    random: true,
    family: sequence,
  }),
  /** dq, dk, dv and workspace. Inputs: those of the forward op, with y, the rows' logarithms and dy after the first three. */
  attentionGrad: defineOp<AttentionAttrs>("attentionGrad", {
    internal: true,
    attrs: schema,
    infer([q, k, v]) {
      const { d, e } = sizes(q, v);
      const scratch = BLOCK * (d + e + 2 * eights(d) + eights(e) + 2 * BLOCK);
      return [floats(q.shape), floats(k.shape), floats(v.shape), floats([scratch])];
    },
    lower(emit, node, attrs) {
      const [q, , v, y, lse, dy] = node.inputs;
      const { batch, groups } = sizes(q, v);
      const { sizes: counts, given, scalars } = call(node, batch * groups, attrs);
      const [dq, dk, dv, scratch] = node.outputs;
      emit.call("f32_attention_grad", ...counts, ...given, y, lse, dy, dq, dk, dv, scratch, ...scalars);
    },
    flops: ({ inputs }, attrs) => flops(5, inputs, attrs),
  }),
};

/** The shape rule. */
function attend(q: Spec, k: Spec, v: Spec, mask: Spec | undefined): Spec[] {
  const { batch, t, s, heads, groups, d, e } = sizes(q, v);
  const fail = (expected: string, actual: string): never => {
    throw new ShapeError({ op: OP, expected, actual });
  };
  const shapes = [q, k, v].map(({ shape }) => show(shape)).join(", ");
  if ([q, k, v].some(({ shape }) => shape.length !== 4))
    fail("query, key and value [batch, steps, heads, dimensions]", shapes);
  if ([k, v].some(({ shape }) => shape[0] !== batch) || k.shape[1] !== s)
    fail("one batch, and as many keys as values", shapes);
  if (k.shape[2] !== groups || groups === 0 || heads % groups > 0)
    fail("as many heads of keys as of values, which divide those of queries", shapes);
  if (k.shape[3] !== d) fail("queries and keys of one size", shapes);
  if (t === 0 || s === 0 || d === 0 || e === 0) fail("sequences and heads that are not empty", shapes);
  if (mask) {
    const { shape } = mask;
    const axes = shape.length >= 2 && shape.length <= 4 ? maskAxes(mask) : [];
    const fits = axes.length === 4 && [batch, heads, t].every((n, i) => axes[i] === n || axes[i] === 1);
    if (!fits || axes[3] !== s)
      fail(`a mask [${s}], [${t}, ${s}] or [${heads}, ${t}, ${s}] for each sample`, show(shape.slice(1)));
  }
  const scratch = BLOCK * (d + eights(e) + BLOCK + 2);
  return [floats([batch, t, heads, e]), floats([batch, heads, t]), floats([scratch])];
}

export interface AttentionOptions {
  /**
   * bool [batch, s], [batch, t, s] or [batch, heads, t, s], sizes of 1 but the last repeated: which keys count for a query. Default all.
   * Where none does, the result is 0.
   */
  mask?: Value | undefined;
  /** Whether a query sees the keys up to its own place only; default false. */
  isCausal?: boolean;
  /** What products are multiplied by; default 1 / sqrt(d). */
  scale?: number;
  /** Share of the probabilities that is zeroed while training, the others being scaled by 1 / (1 - rate); default 0. */
  dropout?: number;
}

/**
 * softmax(scale query key') value for each head, as PyTorch's function of this name and Keras' `dot_product_attention`. Memory grows with the
 * length of sequences, not with its square. With fewer heads of keys and values than of queries, neighbouring queries share them.
 * @param query float32 [batch, t, heads, d]
 * @param key float32 [batch, s, groups, d], where groups divides heads
 * @param value float32 [batch, s, groups, e]
 * @returns float32 [batch, t, heads, e]
 * @throws {ShapeError} when the shapes do not fit, or a sequence is empty; {RangeError} for a rate outside [0, 1) or a scale that is no number
 * @example
 * const x = input([10, 4, 8]);
 * scaledDotProductAttention(x, x, x, { isCausal: true }).shape; // [1, 10, 4, 8]
 */
export function scaledDotProductAttention(
  query: Value,
  key: Value,
  value: Value,
  options: AttentionOptions = {},
): Value {
  for (const x of [query, key, value]) checkValue(x, OP);
  checkKeys(OP, options, ["mask", "isCausal", "scale", "dropout"]);
  const { mask, isCausal = false, dropout = 0 } = options;
  const scale = options.scale ?? 1 / Math.sqrt(query.shape[query.shape.length - 1] || 1);
  if (!Number.isFinite(scale)) throw rangeError({ op: OP, expected: "scale to be a number", actual: told(scale) });
  if (!(typeof dropout === "number" && dropout >= 0 && dropout < 1))
    throw rangeError({ op: OP, expected: "dropout in [0, 1)", actual: told(dropout) });
  if (mask) {
    checkValue(mask, OP);
    wantDType(OP, "bool", mask);
  }
  const rng = dropout > 0 ? [argument(RNG, [3], "int32")] : [];
  const attrs = { scale, causal: isCausal, rate: dropout, stream: 0 };
  return make(attentionOps.scaledDotProductAttention, [query, key, value, ...(mask ? [mask] : []), ...rng], attrs)
    .outputs[0];
}
