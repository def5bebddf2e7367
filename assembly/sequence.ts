// The family of sequences: forward kernels of attention and recurrent layers. Their gradients are in train.ts. The list is the ABI.
export { f32_attention } from "./attention";
export { f32_gru } from "./gru";
export { f32_lstm } from "./lstm";
export { f32_simple_rnn } from "./rnn";
export { f32_rotary } from "./rotary";
