// What only files of TensorFlow Lite call for: assembly/tflite.ts.
import { kernelFamily } from "../load.js";
import code from "./tflite.generated.js";

export const tflite = /* @__PURE__ */ kernelFamily("tflite", code);
