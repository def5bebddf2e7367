// What models in quantization-aware training call: assembly/qat.ts.
import { kernelFamily } from "../load.js";
import code from "./qat.generated.js";

export const qat = /* @__PURE__ */ kernelFamily("qat", code);
