// What models of sequences call: assembly/sequence.ts.
import { kernelFamily } from "../load.js";
import code from "./sequence.generated.js";

export const sequence = /* @__PURE__ */ kernelFamily("sequence", code);
