// All families, for those who want every kernel.
import type { KernelFamily } from "../family.js";
import { core } from "./core.js";
import { int8 } from "./int8.js";
import { int16 } from "./int16.js";
import { qat } from "./qat.js";
import { sequence } from "./sequence.js";
import { sparse } from "./sparse.js";
import { stateful } from "./stateful.js";
import { tflite } from "./tflite.js";
import { train } from "./train.js";

export const families: readonly KernelFamily[] = [core, int16, int8, qat, sequence, sparse, stateful, tflite, train];
