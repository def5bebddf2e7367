// What roofs.wasm does in one step, which those who call it must know.
export const SUMS = 12; // enough to hide the latency of multiply and add; with two constants they fill the registers that V8 uses
export const UNROLL = 2; // hides the loop itself; more gains nothing
