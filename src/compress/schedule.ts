// How sparsity grows while a model is fine-tuned: fast at first, when much can go, slowly at the end (Zhu and Gupta 2017).
import { checkKeys, rangeError, told } from "../errors.js";

export interface PruneSchedule {
  /** Share that is left out at the beginning; default 0. */
  initial?: number;
  /** Steps before which nothing more is left out; default 0. */
  begin?: number;
  /** The step at which all is left out that is to be; default three quarters of the run, so that the rest makes up for it. */
  end?: number;
  /** Steps from one time weights are left out to the next; default a fiftieth of the way from `begin` to `end`. */
  frequency?: number;
}

/** @throws {RangeError} for numbers that cannot be; {TypeError} for other options */
export function checkSchedule(op: string, schedule: PruneSchedule): void {
  checkKeys(op, schedule, ["initial", "begin", "end", "frequency"]);
  const { initial = 0, begin = 0, end = begin, frequency = 1 } = schedule;
  if (!(initial >= 0 && initial <= 1))
    throw rangeError({ op, expected: "initial of the schedule in [0, 1]", actual: told(initial) });
  for (const [name, count, least] of [
    ["begin", begin, 0],
    ["end", end, begin],
    ["frequency", frequency, 1],
  ] as const) {
    if (Number.isSafeInteger(count) && count >= least) continue;
    throw rangeError({
      op,
      expected: `${name} of the schedule to be an integer of at least ${least}`,
      actual: told(count),
    });
  }
}

/** The share of what is to be left out in the end that is left out at a step: s + (i - s) (1 - t)^3 with t from `begin` to `end`. */
export function sparsityAt(step: number, final: number, { initial = 0, begin = 0, end = 0 }: PruneSchedule): number {
  const first = Math.min(initial, final);
  if (step < begin) return first;
  const left = end > begin ? Math.max(0, 1 - (step - begin) / (end - begin)) : 0;
  return final + (first - final) * left * left * left;
}
