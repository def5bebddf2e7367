// The family of quantized models: int8 arithmetic. The list is the ABI.
export { i8_depthwise_conv2d } from "./qdepthwise";
export { i8_conv2d, i8_gemm_pack } from "./qgemm";
export {
  f32_to_i8_quantized, i8_add, i8_lookup, i8_mul, i8_requantize, i8_softmax, i8_to_f32_dequantized,
} from "./qmap";
export { i8_avg_pool2d, i8_max_pool2d, i8_mean, i8_pad2d } from "./qpool";
export { i8_conv2d_3x3_winograd, i8_winograd_pack } from "./qwinograd";
