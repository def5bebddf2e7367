// Rows of connectionist temporal classification: labels of several lengths, equal neighbours, as many as fit, none, and steps that do not count.
import { ctc } from "../../src/ops/ctc.js";
import { type Array64, numbers } from "../oracle/array.js";
import * as oracle from "../oracle/ctc.js";
import type { Case } from "./case.js";

const whole = (...list: number[][]): Array64 & { labels: true } => ({
  shape: [list.length, list[0].length],
  data: Float64Array.from(list.flat()),
  labels: true,
});
const flat = ({ data, ...rest }: Array64 & { labels: true }) => ({ ...rest, data, shape: [data.length] });

const make = (
  name: string,
  steps: number,
  classes: number,
  labels: ReturnType<typeof whole>,
  lengths?: number[],
): Case => {
  const [batch, most] = labels.shape;
  const title = `ctc of ${name}`;
  return {
    name: `${title} [${batch},${steps},${classes}] [${batch},${most}]`,
    title,
    inputs: [numbers([batch, steps, classes], steps, -4, 1), labels, ...(lengths ? [flat(whole(lengths))] : [])],
    op: (logs, given, counts) => ctc(logs, given, counts),
    oracle: oracle.ctc,
    tolerance: 4e-6,
  };
};

export const ctcCases: readonly Case[] = [
  make("different labels", 6, 4, whole([1, 2, 3], [3, 1, 0])),
  make("equal labels", 7, 3, whole([1, 1, 2, 2], [2, 2, 2, 0])),
  make("as many labels as steps", 4, 5, whole([1, 2, 3, 4], [4, 3, 2, 1])),
  make("no labels", 3, 4, whole([0, 0], [2, 0])),
  make("one step", 1, 3, whole([2], [0])),
  make("steps that do not count", 8, 6, whole([5, 1, 1], [2, 4, 0], [3, 0, 0]), [8, 5, 1]),
  make("many steps", 60, 9, whole([1, 8, 2, 7, 3, 6, 4, 5, 5, 1])),
];
