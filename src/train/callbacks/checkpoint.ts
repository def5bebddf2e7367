// Hands the bytes of a model, or of the whole run, to whoever keeps them.
import { save } from "../../formats/native.js";
import type { Callback, FitEpoch, Maybe } from "./callback.js";
import { checkFunction, type MonitorOptions, monitorOf } from "./monitor.js";

export interface ModelCheckpointOptions extends MonitorOptions {
  /** Only epochs that are better than all before them; default false. */
  saveBestOnly?: boolean;
  /** What the first epoch must beat, with `saveBestOnly`. */
  initialValueThreshold?: number;
  /** `model` (default): a file for `load`. `training`: everything the run needs to go on, for the option `resume`. */
  contents?: "model" | "training";
}

/**
 * Gives the bytes of the model to a function after every epoch, or after every one that is better than all before, as Keras'
 * `ModelCheckpoint`. Where they go (a file, a database, an upload) is the function's business; `fit` waits for it.
 * @param write gets the bytes and the epoch they are of
 * @throws the run throws {TypeError} when its logs do not have the number to monitor
 * @example
 * let best: Uint8Array | undefined;
 * const keep = modelCheckpoint((bytes) => { best = bytes; }, { monitor: "loss", saveBestOnly: true });
 */
export function modelCheckpoint(
  write: (bytes: Uint8Array, epoch: FitEpoch) => Maybe<void>,
  { saveBestOnly = false, initialValueThreshold, contents = "model", ...options }: ModelCheckpointOptions = {},
): Callback {
  checkFunction("modelCheckpoint", write);
  const monitor = monitorOf("modelCheckpoint", options);
  const start = initialValueThreshold ?? monitor.worst;
  let best = start;
  return {
    onTrainBegin() {
      best = start;
    },
    onEpochEnd(epoch, context) {
      if (saveBestOnly) {
        const now = monitor.of(epoch.logs);
        if (!monitor.better(now, best)) return;
        best = now;
      }
      return write(contents === "training" ? context.save() : save(context.model), epoch);
    },
  };
}
