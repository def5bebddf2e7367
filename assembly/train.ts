// The family of training: gradients, optimizers, augmentation, and what only graphs with a loss call. The list is the ABI.
export {
  f32_elu_grad, f32_gelu_grad, f32_gelu_tanh_grad, f32_leaky_relu_grad, f32_mish_grad, f32_sigmoid_grad, f32_silu_grad,
  f32_tanh_grad,
} from "./activation";
export { f32_affine, f32_affine_grad, f32_affine_maps } from "./affine";
export { f32_attention_grad } from "./attentiongrad";
export { f32_avg_pool2d_grad } from "./avgpool";
export { i32_equal } from "./binary";
export { f32_clamp_grad } from "./compare";
export { f32_conv2d_filter_grad, f32_conv2d_filter_grad_grouped } from "./conv";
export { f32_ctc } from "./ctc";
export { f32_depthwise_conv2d_filter_grad } from "./depthwise";
export { f32_gru_grad } from "./grugrad";
export { f32_interpolate_grad } from "./interpolate";
export { f32_layer_norm_grad } from "./layernorm";
export { f32_log_softmax_grad } from "./logsoftmax";
export { f32_sparse_softmax_cross_entropy_grad } from "./loss";
export { f32_lstm_grad } from "./lstmgrad";
export { f32_relu_grad } from "./map";
export { f32_batch_norm, f32_batch_norm_grad, f32_moving_average } from "./norm";
export { f32_adam, f32_sgd, f32_sgd_momentum } from "./optimizer";
export { f32_max_pool2d_grad } from "./pool";
export { f32_dropout, u32_philox } from "./random";
export { f32_count_nonfinite } from "./reduce";
export { f32_adamw, f32_rmsprop } from "./rmsprop";
export { f32_simple_rnn_grad } from "./rnngrad";
export { f32_prod_grad } from "./scan";
export { f32_softmax_grad } from "./softmax";
export { conv2d_3x3_winograd_filter_grad_scratch, f32_conv2d_3x3_winograd_filter_grad } from "./winograd";
