// The numbers of every epoch as a table.
import type { Callback, Maybe } from "./callback.js";
import { checkFunction } from "./monitor.js";

export interface CsvLoggerOptions {
  /** Default a comma. */
  separator?: string;
  /** The table has been begun: write no header; default false. */
  append?: boolean;
}

/**
 * Writes a line of CSV per epoch: epoch (from 1), learning rate and all numbers of the logs by name, as Keras' `CSVLogger`.
 * @param write gets text that ends with a line break; `fit` waits for it
 * @example
 * let table = "";
 * const callbacks = [csvLogger((line) => { table += line; })];
 */
export function csvLogger(
  write: (text: string) => Maybe<unknown>,
  { separator = ",", append = false }: CsvLoggerOptions = {},
): Callback {
  checkFunction("csvLogger", write);
  let names: string[] | undefined;
  return {
    onTrainBegin() {
      names = undefined;
    },
    async onEpochEnd({ epoch, logs, learningRate }) {
      if (names === undefined) {
        names = Object.keys(logs).sort();
        if (!append) await write(`${["epoch", "learning_rate", ...names].join(separator)}\n`);
      }
      await write(`${[epoch, learningRate, ...names.map((name) => logs[name])].join(separator)}\n`);
    },
  };
}
