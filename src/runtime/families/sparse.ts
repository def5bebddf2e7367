// What pruned models call: assembly/sparse.ts.
import { kernelFamily } from "../load.js";
import code from "./sparse.generated.js";

export const sparse = /* @__PURE__ */ kernelFamily("sparse", code);
