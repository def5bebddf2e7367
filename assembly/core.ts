// The family that every model has: what inference of common layers calls, and what draws initial weights. The list is the ABI.
export {
  f32_abs, f32_elu, f32_erf, f32_exp, f32_floor, f32_gelu, f32_gelu_tanh, f32_leaky_relu, f32_log, f32_log1p, f32_mish,
  f32_neg, f32_rsqrt, f32_sigmoid, f32_sign, f32_silu, f32_softplus, f32_sqrt, f32_tanh,
} from "./activation";
export { f32_avg_pool2d } from "./avgpool";
export { f32_add, f32_div, f32_maximum, f32_minimum, f32_mul, f32_pow, f32_sub } from "./binary";
export {
  f32_to_bool, f32_to_i32, f32_to_i8, f32_to_u8, i32_to_bool, i32_to_f32, i32_to_x8, i8_to_f32, i8_to_i32, u8_to_f32,
  u8_to_i32, x8_copy, x8_to_bool,
} from "./cast";
export { f32_equal, f32_less, f32_less_equal, f32_where, u8_not } from "./compare";
export { f32_conv2d, f32_conv2d_flip, f32_conv2d_grouped } from "./conv";
export { f32_copy, f32_pad2d } from "./copy";
export { f32_depthwise_conv2d } from "./depthwise";
export { f32_argmin, f32_max, f32_min, f32_prod } from "./extremum";
export { f32_scatter_add, i32_one_hot, x32_gather, x8_gather } from "./gather";
export { f32_gemm, f32_gemm_batched, f32_gemm_tn } from "./gemm";
export { f32_gemm_unpacked } from "./gemv";
export { f32_interpolate } from "./interpolate";
export { f32_layer_norm } from "./layernorm";
export { u8_all, u8_any } from "./logical";
export { f32_log_softmax } from "./logsoftmax";
export { f32_sparse_softmax_cross_entropy } from "./loss";
export { f32_clamp, f32_relu } from "./map";
export { f32_batch_norm_scale } from "./norm";
export { f32_gemm_pack, f32_gemm_pack_batched, gemm_packed_size } from "./pack";
export { f32_max_pool2d } from "./pool";
export { f32_random_normal, f32_random_truncated_normal, f32_random_uniform } from "./random";
export { f32_argmax, f32_mean, f32_sum, f32_sum_columns } from "./reduce";
export { f32_cumsum } from "./scan";
export { f32_softmax } from "./softmax";
export { x32_strided_copy, x8_strided_copy } from "./strided";
export { conv2d_3x3_winograd_scratch, f32_conv2d_3x3_winograd, f32_conv2d_3x3_winograd_filter } from "./winograd";
/** First free byte of the memory: the arena starts here. */
export function heapBase(): usize { return __heap_base; }
