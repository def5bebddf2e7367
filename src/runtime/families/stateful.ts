// What models with states from TensorFlow Lite call: assembly/stateful.ts.
import { kernelFamily } from "../load.js";
import code from "./stateful.generated.js";

export const stateful = /* @__PURE__ */ kernelFamily("stateful", code);
