// Watching one number of the epochs' logs.
import { rangeError, told, typeError } from "../../errors.js";
import type { Logs } from "../trainer.js";

export interface MonitorOptions {
  /** Which number of the logs; default `val_loss`. */
  monitor?: string;
  /** Whether less is better or more; `auto` (the default) tells by the name: more for an accuracy, less for anything else. */
  mode?: "auto" | "min" | "max";
}

export interface Monitor {
  readonly worst: number;
  /** The number of these logs. @throws {TypeError} when they do not have it */
  of(logs: Logs): number;
  /** Whether `value` is better than `best` by more than `delta`. */
  better(value: number, best: number, delta?: number): boolean;
}

/** @throws {TypeError} for a mode that there is not */
export function monitorOf(op: string, { monitor = "val_loss", mode = "auto" }: MonitorOptions): Monitor {
  if (typeof monitor !== "string")
    throw typeError({ op, expected: "monitor to be the name of a number", actual: told(monitor) });
  if (!["auto", "min", "max"].includes(mode))
    throw typeError({ op, expected: "mode auto, min or max", actual: JSON.stringify(mode) ?? "nothing" });
  const more = mode === "max" || (mode === "auto" && /acc(uracy)?$/i.test(monitor));
  return {
    worst: more ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY,
    of(logs) {
      if (Object.hasOwn(logs, monitor)) return logs[monitor];
      const hint = monitor.startsWith("val_") ? " (give fit validation)" : "";
      const actual = `"${monitor}"${hint}`;
      throw typeError({ op, expected: `a number to monitor of ${Object.keys(logs).join(", ")}`, actual });
    },
    better: (value, best, delta = 0) => (more ? value - delta > best : value + delta < best),
  };
}

/** @throws {TypeError} unless it is a function */
export function checkFunction(op: string, given: unknown): void {
  if (typeof given !== "function") throw typeError({ op, expected: "a function", actual: told(given) });
}

/** @throws {RangeError} unless every number is at least 0, and whole where it counts something */
export function checkNumbers(op: string, whole: Record<string, number>, others: Record<string, number> = {}): void {
  const refuse = (what: string, kind: string, value: number) => {
    throw rangeError({ op, expected: `${what} to be ${kind} of at least 0`, actual: String(value) });
  };
  for (const [what, value] of Object.entries(whole))
    if (!(Number.isSafeInteger(value) && value >= 0)) refuse(what, "an integer", value);
  for (const [what, value] of Object.entries(others))
    if (!(Number.isFinite(value) && value >= 0)) refuse(what, "a number", value);
}
