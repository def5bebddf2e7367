// The family of quantized models: int8 arithmetic. The list is the ABI. What ends in _any is for weights and windows that int8dot.ts, which
// may come before this family, has nothing for.
export {
  i8_depthwise_conv2d, i8_depthwise_conv2d_any, i8_depthwise_pack,
  i8_depthwise_pack_any,
} from "./qdepthwise";
export {
  i8_conv2d, i8_conv2d_any, i8_gemm_pack, i8_gemm_pack_any,
} from "./qgemm";
export { f32_i8_gemm, f32_to_i16_rows, i8_gemm_dynamic } from "./qdense";
export {
  f32_to_i8_quantized, i8_add, i8_lookup, i8_mul, i8_requantize, i8_softmax, i8_to_f32_dequantized,
} from "./qmap";
export { i8_avg_pool2d, i8_max_pool2d, i8_mean } from "./qpool";
export { i8_conv2d_3x3, i8_conv2d_3x3_pack } from "./qwinograd";
