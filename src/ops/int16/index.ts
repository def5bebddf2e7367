// Ops on int16 with int8 weights, as "lanewise/int8" exports them.
export {
  type Int16AddOptions,
  type Int16LeakyReluOptions,
  type Int16PairOptions,
  int16Add,
  int16LeakyRelu,
  int16Maximum,
  int16Minimum,
  int16Mul,
  int16Sub,
} from "./arithmetic.js";
export { type Int16Conv2dOptions, type Int16Options, int16Conv2d, int16Dense, type Rounding } from "./conv2d.js";
export { int16Dequantize, int16Quantize, int16Requantize } from "./convert.js";
export { int16DepthwiseConv2d } from "./depthwise.js";
export { int16Function, int16Softmax } from "./function.js";
export { type Int16PoolOptions, int16AvgPool2d, int16MaxPool2d, int16Mean } from "./pool.js";
export { int16Ops } from "./table.js";
export { int16Conv2dTranspose } from "./transposed.js";
