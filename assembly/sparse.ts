// The family of pruned models: products with weights of which most are left out. The list is the ABI.
export { f32_sparse_conv2d_outputs, f32_sparse_conv2d_pixels } from "./sparseconv";
export { f32_sparse_pack_outputs, f32_sparse_pack_pixels } from "./sparsepack";
