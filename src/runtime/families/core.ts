// What every model has: assembly/core.ts.
import { kernelFamily } from "../load.js";
import code from "./core.generated.js";

export const core = /* @__PURE__ */ kernelFamily("core", code);
