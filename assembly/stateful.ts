// The family of models with states from TensorFlow Lite: its recurrent operators, in float32, int8, and int8 under floats. The list is
// the ABI.
export { f32_i8_dense } from "./hybrid";
export { f32_lstm_projected } from "./lstmp";
export { i8_lstm } from "./qlstm";
export { i8_svdf } from "./qsvdf";
export { i8_row_sums } from "./rows";
