// All families, for those who want every kernel.
import type { KernelFamily } from "../family.js";
import { core } from "./core.js";
import { sequence } from "./sequence.js";
import { train } from "./train.js";

export const families: readonly KernelFamily[] = [core, sequence, train];
