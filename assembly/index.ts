export { f32_avg_pool2d, f32_avg_pool2d_grad } from "./avgpool";
export { f32_add, f32_div, f32_mul, f32_sub, i32_equal } from "./binary";
export {
  f32_conv2d, f32_conv2d_filter_grad, f32_conv2d_filter_grad_grouped, f32_conv2d_flip, f32_conv2d_grouped,
} from "./conv";
export { f32_copy, f32_pad2d, f32_transpose2d } from "./copy";
export { f32_depthwise_conv2d, f32_depthwise_conv2d_filter_grad } from "./depthwise";
export { f32_gemm, f32_gemm_batched, f32_gemm_tn } from "./gemm";
export { f32_layer_norm, f32_layer_norm_grad } from "./layernorm";
export { f32_sparse_softmax_cross_entropy, f32_sparse_softmax_cross_entropy_grad } from "./loss";
export { f32_clamp, f32_relu, f32_relu_grad } from "./map";
export { f32_batch_norm, f32_batch_norm_grad, f32_batch_norm_scale, f32_moving_average } from "./norm";
export { f32_adam, f32_sgd, f32_sgd_momentum } from "./optimizer";
export { f32_gemm_pack, f32_gemm_pack_batched, gemm_packed_size } from "./pack";
export { f32_max_pool2d, f32_max_pool2d_grad } from "./pool";
export { f32_dropout, f32_random_normal, f32_random_truncated_normal, f32_random_uniform, u32_philox } from "./random";
export { f32_argmax, f32_count_nonfinite, f32_mean, f32_sum } from "./reduce";
export { f32_softmax, f32_softmax_grad } from "./softmax";
export { f32_exp, f32_log } from "./unary";
/** First free byte of the memory: the arena starts here. */
export function heapBase(): usize { return __heap_base; }
