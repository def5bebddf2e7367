// The entry "lanewise/compress": from a trained model to a small one.

export { fakeQuantize, fakeQuantizeOps } from "../ops/quantized/fake.js";
export { sparse } from "../ops/sparse.js";
export { type QuantizeAwareOptions, quantizeAware } from "./aware.js";
export type { Calibration } from "./calibration.js";
export { type DistillOptions, distill } from "./distill.js";
export { type PruneOptions, type PruneStructure, prune } from "./prune.js";
export { type QuantizeOptions, quantize } from "./quantize.js";
export type { RangeMethod } from "./ranges.js";
export { type Report, type ReportOptions, type ReportRow, report } from "./report.js";
export type { PruneSchedule } from "./schedule.js";
export { type Sensitivity, sensitivity } from "./sensitivity.js";
export type { Sizes } from "./sizes.js";
