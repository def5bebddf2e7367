// The cells of recurrent layers: which kernels they have, and what the gradients of their recurrent weights are made of.
import type { Argument } from "../graph/op.js";
import type { Value } from "../graph/value.js";
import { concat } from "./concat.js";
import { pack } from "./matmul.js";
import { numbers, overSteps, recurrent } from "./recurrent.js";
import { stridedSlice } from "./slice.js";

/** The address of what may not be there. */
const or0 = (value: Value | undefined): Argument => value ?? 0;

/** A matrix [k, n] packed, or its transpose. */
const packed = (u: Value, transpose: boolean): Value => {
  const [k, n] = u.shape;
  return transpose ? pack(u, n, k, true) : pack(u, k, n, false);
};

/** The gates of a GRU: all columns but the last third. */
const gates = (x: Value): Value => columns(x, null, twoThirds(x));
/** Its candidate: the last third. */
const candidate = (x: Value): Value => columns(x, twoThirds(x), null);
const twoThirds = ({ shape }: Value): number => (shape[shape.length - 1] / 3) * 2;
const columns = (x: Value, begin: number | null, end: number | null): Value => {
  const before = x.shape.slice(1).map(() => null);
  return stridedSlice(x, [...before, begin], [...before, end]);
};

export const cellOps = {
  /** h = activation(z + h U). Inputs: z [batch, steps, units], U, what is given; results: the states of all steps, scratch. */
  simpleRNN: /* @__PURE__ */ recurrent({
    name: "simpleRNN",
    width: 1,
    hasGates: false,
    weights: (u, transpose) => [packed(u, transpose)],
    lower: (emit, sizes, z, [u], { h0, mask, drop }, [y, scratch], of) =>
      emit.call("f32_simple_rnn", ...sizes, z, u, or0(h0), or0(mask), or0(drop), y, scratch, numbers(of)[0]),
    lowerGrad: (emit, sizes, [y], [u], { h0, mask, drop, dy }, { dz, dh, scratch }, of) =>
      emit.call(
        "f32_simple_rnn_grad",
        ...sizes,
        ...([y, u, or0(mask), or0(drop), or0(dy), dz, dh, scratch, Number(h0 !== undefined), numbers(of)[0]] as const),
      ),
    weightGrad: (before, _saved, { dz }) => overSteps(before, dz),
  }),

  /** Inputs: z [batch, steps, 4 units] in the order i, f, g, o, U, what is given; results: gates, states and cells of all steps, scratch. */
  lstm: /* @__PURE__ */ recurrent({
    name: "lstm",
    width: 4,
    hasGates: true,
    weights: (u, transpose) => [packed(u, transpose)],
    lower: (emit, sizes, z, [u], { h0, c0, mask, drop }, [all, y, cells, scratch], of) =>
      emit.call(
        "f32_lstm",
        ...sizes,
        ...([z, u, or0(h0), or0(c0), or0(mask), or0(drop), all, y, cells, scratch] as const),
        ...numbers(of),
      ),
    lowerGrad: (emit, sizes, [all, , cells], [u], { h0, c0, mask, drop, dy, dcells }, { dz, dh, dc, scratch }, of) =>
      emit.call(
        "f32_lstm_grad",
        ...sizes,
        ...([all, cells, u, or0(c0), or0(mask), or0(drop), or0(dy), or0(dcells), dz, dh, dc, scratch] as const),
        Number(h0 !== undefined || c0 !== undefined),
        ...numbers(of),
      ),
    weightGrad: (before, _saved, { dz }) => overSteps(before, dz),
  }),

  /**
   * Inputs: z [batch, steps, 3 units] in the order update, reset, candidate, U, what is given; results: gates, states, what the candidate
   * has from the states, scratch.
   */
  gru: /* @__PURE__ */ recurrent({
    name: "gru",
    width: 3,
    hasGates: true,
    weights: (u, transpose) => [gates(u), candidate(u)].map((part) => packed(part, transpose)),
    lower: (emit, sizes, z, [u, v], { bias, h0, mask, drop }, [all, y, rest, scratch], of) =>
      emit.call(
        "f32_gru",
        ...sizes,
        ...([z, u, v, or0(bias), or0(h0), or0(mask), or0(drop), all, y, rest, scratch] as const),
        Number(of.resetAfter ?? false),
        ...numbers(of),
      ),
    lowerGrad: (emit, sizes, [all, y, rest], [u, v], { h0, mask, drop, dy }, { dz, drest, dh, scratch }, of) =>
      emit.call(
        "f32_gru_grad",
        ...sizes,
        ...([all, y, rest, u, v, or0(h0), or0(mask), or0(drop), or0(dy), dz, drest, dh, scratch] as const),
        Number(h0 !== undefined),
        Number(of.resetAfter ?? false),
        ...numbers(of),
      ),
    weightGrad(before, [, , rest], { dz, drest }, { resetAfter }) {
      const ofGates = overSteps(before, gates(dz));
      return concat([ofGates, resetAfter ? overSteps(before, drest) : overSteps(rest, candidate(dz))], 1);
    },
  }),
};
