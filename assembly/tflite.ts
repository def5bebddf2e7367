// The family of what only files of TensorFlow Lite call for. The list is the ABI.
export { f32_ceil, f32_cos, f32_floor_mod, f32_interpolate_at, f32_round, f32_sin } from "./elementary";
export {
  i32_add, i32_div, i32_floor_div, i32_floor_mod, i32_less, i32_maximum, i32_minimum, i32_mul, i32_sub, u8_and,
  x32_select, x8_select,
} from "./integer";
export { f32_top_k, x8_reverse_sequence } from "./order";
export { i32_to_i8_fixed, i8_l2_normalize } from "./qfixed";
export { i8_interpolate_2d, i8_matmul } from "./qproduct";
