// How kernel calls are divided: one rule for each kernel, by families (range.ts says what a rule is). split.ts cuts by them, and
// test/threads.test.ts runs every op so: a kernel whose arguments change fails there. A kernel without a rule runs on the calling thread.
import { attention } from "./attention.js";
import { conv } from "./conv.js";
import { elementwise } from "./elementwise.js";
import { gemm } from "./gemm.js";
import { int8 } from "./int8.js";
import { int16 } from "./int16.js";
import { movement } from "./movement.js";
import type { Rules } from "./range.js";
import { recurrent } from "./recurrent.js";
import { reduction } from "./reduction.js";
import { sparse } from "./sparse.js";

export type { Part, Range, Rule, Rules, Scratch } from "./range.js";

export const rules: Rules = {
  ...attention,
  ...conv,
  ...elementwise,
  ...gemm,
  ...int8,
  ...int16,
  ...movement,
  ...recurrent,
  ...reduction,
  ...sparse,
};
