// The module that `lanewise train` takes, and others take parts of: the model, the data, the options of fit.
import { stat } from "node:fs/promises";
import { register } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import * as data from "../data/index.js";
import * as lanewise from "../index.js";
import * as train from "../train/index.js";
import { fileError, UsageError } from "./usage.js";

/** What a configuration exports: each a value, or a function that makes it. */
interface Config {
  model: lanewise.Model;
  data: train.TrainingData;
  fit: train.FitOptions;
  test?: train.TrainingData;
}

const KEYS = ["model", "data", "fit", "test"] as const;
type Key = (typeof KEYS)[number];

export const isConfig = (path: string): boolean => /\.[cm]?js$/.test(path);

/**
 * Functions are given everything that the package exports.
 * @param wanted what must be there; of the rest only `test` is looked for
 * @throws {UsageError} for what is not
 */
export async function readConfig<K extends Key>(path: string, wanted: readonly K[]): Promise<Pick<Config, K | "test">> {
  await stat(path).catch((error) => {
    throw fileError(path, error);
  });
  oneLanewise();
  const module = (await import(pathToFileURL(resolve(path)).href)) as Record<string, unknown>;
  const given = { ...module, ...(module.default as Record<string, unknown> | undefined) };
  const whole = { ...lanewise, ...train, ...data };
  const config: Record<string, unknown> = {};
  for (const key of new Set<Key>([...wanted, "test"])) {
    const value = given[key];
    config[key] = typeof value === "function" ? await value(whole) : await value;
  }
  const missing = wanted.find((key) => config[key] === undefined);
  if (missing === undefined) return config as Pick<Config, K | "test">;
  const list = wanted.join(", ").replace(/, (\w+)$/, " and $1");
  throw new UsageError(`${path}: expected a module that exports ${list}; there is no ${missing}`);
}

/** "lanewise" is this very copy wherever a configuration lies: it needs none installed, and models of two copies do not mix. */
function oneLanewise(): void {
  const names = ["", "/train", "/data", "/compress", "/int8", "/tflite", "/serve", "/kernels"].map(
    (name) => `lanewise${name}`,
  );
  const map = Object.fromEntries(names.map((name) => [name, import.meta.resolve(name)]));
  const hook = `const map = ${JSON.stringify(map)};
    export const resolve = (name, context, next) =>
      Object.hasOwn(map, name) ? { url: map[name], shortCircuit: true } : next(name, context);`;
  register(`data:text/javascript,${encodeURIComponent(hook)}`);
}
