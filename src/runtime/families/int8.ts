// What quantized models call: assembly/int8.ts, and assembly/int8dot.ts where the engine can.
import { kernelFamily } from "../load.js";
import code from "./int8.generated.js";
import dot from "./int8dot.generated.js";

export const int8 = /* @__PURE__ */ kernelFamily("int8", code, dot);
