// The family of quantized models with activations of 16 bits and weights of 8. The list is the ABI.
export { i16_conv2d, i16_gemm_pack } from "./i16conv";
export { i16_depthwise_conv2d } from "./i16depthwise";
export { i16_add, i16_add_pot, i16_leaky_relu, i16_maximum, i16_minimum, i16_mul } from "./i16map";
export {
  f32_to_i16_quantized, i16_requantize, i16_to_f32_dequantized, i16_to_i32_requantized, i16_to_i8_requantized,
  i32_to_i16_requantized, i8_to_i16_requantized,
} from "./i16convert";
export { i16_sigmoid, i16_softmax, i16_tanh } from "./i16function";
export { i16_avg_pool2d, i16_max_pool2d, i16_mean } from "./i16pool";
