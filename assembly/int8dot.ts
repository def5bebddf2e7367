// int8.ts where the engine's dot product of bytes is exact: the same kernels, results and sizes, faster.
export { i8_dot_is_exact } from "./dot";
export { i8_conv2d, i8_conv2d_3x3, i8_conv2d_3x3_pack, i8_gemm_pack } from "./qdot";
export { i8_depthwise_conv2d, i8_depthwise_pack } from "./qdotdepthwise";
