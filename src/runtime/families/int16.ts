// What quantized models with activations of 16 bits call: assembly/int16.ts.
import { kernelFamily } from "../load.js";
import code from "./int16.generated.js";

export const int16 = /* @__PURE__ */ kernelFamily("int16", code);
