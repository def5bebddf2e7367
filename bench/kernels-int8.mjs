// The rows of rows-int8.mjs in Lanewise, each a model of one op on a session. Through the public API, and nothing of a platform.
import { build, constant, input } from "lanewise";
import { quantizedConv2d, quantizedDense, quantizedDepthwiseConv2d } from "lanewise/int8";
import { noise } from "./cnn.mjs";
import { INPUT, OUTPUT, outputScale, WEIGHT_SCALE } from "./rows-int8.mjs";

const OPS = { matmul: quantizedDense, conv2d: quantizedConv2d, depthwise: quantizedDepthwiseConv2d };

const size = (shape) => shape.reduce((a, b) => a * b, 1);

/** Numbers for input and weights, in this order, the same for everyone who runs the row. */
export const operands = ({ inputs, weights }) =>
  [...inputs, ...weights].map((shape, i) => ({
    shape,
    data: Int8Array.from(noise(size(shape), i + 1), (x) => Math.round(127 * x)),
  }));

/** A row, ready: `run()` computes, `read()` gives a copy of the output's numbers. */
export async function prepare(row) {
  const [x, w] = operands(row);
  const { strides, pad } = row.options;
  const columns = row.output.at(-1);
  const options = {
    input: INPUT,
    quantization: { ...OUTPUT, scale: outputScale(row) },
    ...(row.op !== "matmul" && {
      strides,
      padding: [
        [pad, pad],
        [pad, pad],
      ],
    }),
  };
  const image = input(row.op === "matmul" ? x.shape : x.shape.slice(1), { dtype: "int8" });
  const kernel = constant({ ...w, dtype: "int8" });
  const scale = constant({ data: new Float32Array(columns).fill(WEIGHT_SCALE), shape: [columns], dtype: "float32" });
  const model = await build(image, OPS[row.op](image, kernel, scale, options));
  const session = model.session(1);
  session.inputs[0].set(x.data);
  return { run: () => session.run(), read: () => session.outputs[0].slice() };
}
