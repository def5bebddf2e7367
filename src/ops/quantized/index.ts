// The entry "lanewise/int8": ops on int8, and on int16 with int8 weights, for graphs of one's own, and for files that hold them:
// `load(file, { layers: int8Ops })`, or `int16Ops`.
export type { Quantization } from "../../graph/attrs.js";
export * from "../int16/index.js";
export { type QuantizedPairOptions, quantizedAdd, quantizedMul, quantizedSub } from "./arithmetic.js";
export { type QuantizedConv2dOptions, type QuantizedOptions, quantizedConv2d, quantizedDense } from "./conv2d.js";
export {
  asQuantized,
  dequantizeLinear,
  type QuantizedFunction,
  quantizedFunction,
  quantizedLookup,
  quantizedSoftmax,
  quantizeLinear,
  requantize,
} from "./convert.js";
export { dequantizeData, type QuantizedDType, quantizeData } from "./data.js";
export { quantizedDepthwiseConv2d } from "./depthwise.js";
export { dynamicDense, type HybridDenseOptions, weightOnlyDense } from "./hybrid.js";
export {
  type QuantizedMeanOptions,
  type QuantizedPoolOptions,
  quantizedAvgPool2d,
  quantizedMaxPool2d,
  quantizedMean,
  quantizedSum,
} from "./pool.js";
export { int8Ops } from "./table.js";
export { type QuantizedConv2dTransposeOptions, quantizedConv2dTranspose } from "./transposed.js";
