// Connectionist temporal classification by its definition: all paths that spell the labels, by a sum over them step by step, in float64.
import { type Array64, at, fill } from "./array.js";

/** @param lengths steps that count */
export const ctc = (logs: Array64, labels: Array64, lengths?: Array64): Array64 =>
  fill([logs.shape[0]], (b) => {
    const own = Array.from({ length: labels.shape[1] }, (_, j) => at(labels, b, j)).filter((label) => label !== 0);
    const states = [0, ...own.flatMap((label) => [label, 0])];
    const steps = lengths ? at(lengths, b) : logs.shape[1];
    const says = (t: number, s: number): number => Math.exp(at(logs, b, t, states[s]));
    let p = states.map((_, s) => (s < 2 ? says(0, s) : 0));
    for (let t = 1; t < steps; t++) {
      p = states.map((label, s) => {
        const skips = label !== 0 && label !== states[s - 2];
        return (p[s] + (p[s - 1] ?? 0) + (skips ? (p[s - 2] ?? 0) : 0)) * says(t, s);
      });
    }
    return -Math.log(p[p.length - 1] + (p[p.length - 2] ?? 0));
  });
