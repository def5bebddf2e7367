// A live line per epoch on a terminal.
import type { Logs } from "../trainer.js";
import type { Callback, FitStep } from "./callback.js";

/** The part of a terminal stream that the progress bar uses; `process.stderr` is one. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/**
 * A live line per epoch: step, loss, metrics, samples per second, time left. Quiet when the stream is no terminal.
 * @param options.stream default standard error where there is one
 * @param options.interval least milliseconds between two draws; default 100
 * @example
 * const callbacks = [progressBar()];
 */
export function progressBar({
  stream = standardError(),
  interval = 100,
}: {
  stream?: Terminal;
  interval?: number;
} = {}): Callback {
  if (!stream?.isTTY) return {};
  let drawn = 0;
  const draw = (line: string, end: string) =>
    stream.write(`\r\u001b[2K${line.slice(0, (stream.columns ?? 80) - 1)}${end}`);
  return {
    onTrainBatchEnd(step) {
      const now = performance.now();
      if (now - drawn < interval && step.step !== step.steps) return;
      drawn = now;
      draw(progressLine(step), "");
    },
    onEpochEnd({ epoch, epochs, logs, seconds }) {
      draw(`epoch ${epoch}/${epochs}  ${seconds.toFixed(1)} s  ${numbers(logs)}`, "\n");
    },
  };
}

const numbers = (logs: Logs): string =>
  Object.entries(logs)
    .map(([name, x]) => `${name} ${x.toFixed(4)}`)
    .join("  ");

/** One step as the progress bar shows it: without a bar where the number of steps is not known. */
export function progressLine({ epoch, epochs, step, steps, logs, samplesPerSecond, secondsLeft }: FitStep): string {
  const speed = `${numbers(logs)}  ${Math.round(samplesPerSecond)} samples/s`;
  if (steps === undefined || secondsLeft === undefined) return `epoch ${epoch}/${epochs} step ${step}  ${speed}`;
  const width = 20;
  const full = Math.min(width, Math.round((step / steps) * width));
  const bar = "#".repeat(full) + "-".repeat(width - full);
  const left = `${Math.floor(secondsLeft / 60)}:${String(Math.floor(secondsLeft % 60)).padStart(2, "0")}`;
  return `epoch ${epoch}/${epochs} [${bar}] ${step}/${steps}  ${speed}  ${left} left`;
}

const standardError = (): Terminal | undefined => (globalThis as { process?: { stderr?: Terminal } }).process?.stderr;
