// The family of sequences: forward kernels of recurrent layers. Their gradients are in train.ts. The list is the ABI.
export { f32_gru } from "./gru";
export { f32_lstm } from "./lstm";
export { f32_simple_rnn } from "./rnn";
