// What quantized models call: assembly/int8.ts.
import { kernelFamily } from "../load.js";
import code from "./int8.generated.js";

export const int8 = /* @__PURE__ */ kernelFamily("int8", code);
