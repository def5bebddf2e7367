// Where the time of a program goes, call by call.
import type { Names } from "./names.js";
import type { Program } from "./program.js";

/** One kernel call of a program, timed. */
export interface ProfileRow {
  readonly kernel: string;
  /** The layer it works for, where there is one. */
  readonly layer: string | undefined;
  /** Shape of what it computes. */
  readonly shape: readonly number[];
  /** Mean over the runs. */
  readonly milliseconds: number;
  /** 0 where the call computes nothing. */
  readonly gflops: number;
  /** Of the whole program's time, 0 to 1. */
  readonly share: number;
}

/** A profile; `String(profile)` is a table, the slowest call first. */
export class Profile {
  readonly milliseconds: number;

  constructor(readonly rows: readonly ProfileRow[]) {
    this.milliseconds = rows.reduce((sum, row) => sum + row.milliseconds, 0);
  }

  toString(): string {
    const head = ["kernel", "layer", "output", "ms", "GFLOP/s", "share"];
    const cells = this.rows.map(({ kernel, layer, shape, milliseconds, gflops, share }) => [
      kernel,
      layer ?? "",
      `[${shape.join(", ")}]`,
      milliseconds.toFixed(4),
      gflops > 0 ? gflops.toFixed(1) : "",
      `${(share * 100).toFixed(1)} %`,
    ]);
    const all = [head, ...cells, ["total", "", "", this.milliseconds.toFixed(4), "", ""]];
    const widths = head.map((_, i) => Math.max(...all.map((row) => row[i].length)));
    const pad = (text: string, i: number) => (i < 3 ? text.padEnd(widths[i]) : text.padStart(widths[i]));
    return all.map((row) => row.map(pad).join("  ").trimEnd()).join("\n");
  }
}

/** Runs a program, whose inputs are there, and times each of its calls. */
export function profileProgram(program: Program, names: Names, runs: number): Profile {
  const times = program.time(runs);
  const total = times.reduce((sum, time) => sum + time, 0) || 1;
  const rows = program.calls.each.map(({ kernel, node }, i): ProfileRow => {
    const flops = node.op.flops?.(node, node.attrs) ?? 0;
    return {
      kernel,
      layer: node.layer && (names.layers.get(node.layer) ?? node.layer.kind),
      shape: node.outputs[0].shape,
      milliseconds: times[i],
      gflops: times[i] > 0 ? flops / times[i] / 1e6 : 0,
      share: times[i] / total,
    };
  });
  return new Profile(rows.sort((a, b) => b.milliseconds - a.milliseconds));
}
