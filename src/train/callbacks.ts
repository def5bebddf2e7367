// What can be done while a model trains: functions that `fit` calls.
import type { Logs } from "./trainer.js";

/** Where a training run is, after each step. */
export interface FitStep {
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Step within the epoch, from 1. */
  readonly step: number;
  readonly steps: number;
  /** Loss of this batch, before its update. */
  readonly loss: number;
  /** Loss and metrics, averaged over the epoch so far. */
  readonly logs: Logs;
  readonly samplesPerSecond: number;
  /** Estimated, of the whole run. */
  readonly secondsLeft: number;
}

/** The end of an epoch: averages over its batches, and `val_` numbers where there is validation. */
export interface FitEpoch {
  readonly epoch: number;
  readonly epochs: number;
  readonly logs: Logs;
  readonly seconds: number;
}

/** Numbers of every epoch, by name, as Keras' `History`. */
export interface History {
  readonly epoch: number[];
  readonly history: Record<string, number[]>;
}

/** Any of these; an error thrown by one fails the run. */
export interface Callback {
  onTrainBegin?(): void;
  onTrainBatchEnd?(step: FitStep): void;
  onEpochEnd?(epoch: FitEpoch): void;
  onTrainEnd?(history: History): void;
}

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
      if (now - drawn < interval && step.step < step.steps) return;
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

/** One step as the progress bar shows it. */
export function progressLine({ epoch, epochs, step, steps, logs, samplesPerSecond, secondsLeft }: FitStep): string {
  const width = 20;
  const full = Math.round((step / steps) * width);
  const bar = "#".repeat(full) + "-".repeat(width - full);
  const left = `${Math.floor(secondsLeft / 60)}:${String(Math.floor(secondsLeft % 60)).padStart(2, "0")}`;
  return `epoch ${epoch}/${epochs} [${bar}] ${step}/${steps}  ${numbers(logs)}  ${Math.round(samplesPerSecond)} samples/s  ${left} left`;
}

const standardError = (): Terminal | undefined => (globalThis as { process?: { stderr?: Terminal } }).process?.stderr;
