// The entry "lanewise/compress": from a trained model to a small one.
export { type QuantizeOptions, quantize, type Sensitivity, sensitivity } from "./quantize.js";
export type { Calibration, RangeMethod } from "./ranges.js";
