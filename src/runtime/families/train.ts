// What training calls: assembly/train.ts. Ops do not name it, as gradients are reached from every op: lanewise/train gives it to a model.
import { kernelFamily } from "../load.js";
import code from "./train.generated.js";

export const train = /* @__PURE__ */ kernelFamily("train", code);
