// lanewise train: a module says what and how, the command trains, tells how it goes, and writes the file.
import { stat } from "node:fs/promises";
import { register } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Command } from "commander";
import * as data from "../data/index.js";
import * as lanewise from "../index.js";
import * as train from "../train/index.js";
import { checkOutput, writeModel } from "./convert.js";
import { fileError, integer, UsageError } from "./usage.js";

interface Options {
  out: string;
  epochs?: number;
  json?: boolean;
}

/** What a configuration exports: each a value, or a function that makes it. */
interface Config {
  model: lanewise.Model;
  data: train.TrainingData;
  fit: train.FitOptions;
  test?: train.TrainingData;
}

export function addTrain(program: Command): void {
  program
    .command("train")
    .description("train what a module describes, and write the model")
    .argument("<config>", "a module that exports model, data, fit (the options of fit) and, if there is one, test")
    .option("--out <file>", "where the model goes", "model.safetensors")
    .option("--epochs <n>", "instead of those in the configuration", integer("epochs", 0))
    .option("--json", "the history, and what the test gave, as JSON on standard output")
    .action(run);
}

async function run(path: string, { out, epochs, json }: Options): Promise<void> {
  checkOutput(out);
  const { model, data: examples, fit, test } = await readConfig(path);
  const options = { ...fit, ...(epochs !== undefined && { epochs }) };
  const lines = {
    onEpochEnd: ({ epoch, epochs, logs }: train.FitEpoch) => say(`epoch ${epoch}/${epochs}  ${told(logs)}`),
  };
  const shown = process.stderr.isTTY ? train.progressBar() : lines;
  const leaving = new AbortController();
  const leave = () => leaving.abort();
  process.once("SIGINT", leave);
  const fitting = train.fit(model, examples, {
    ...options,
    callbacks: [...(options.callbacks ?? []), shown],
    signal: options.signal ? AbortSignal.any([options.signal, leaving.signal]) : leaving.signal,
  });
  const history = await fitting.then(undefined, (error: unknown) => {
    if (!leaving.signal.aborted) throw error;
    process.exitCode = 130; // what it has learnt is written all the same
    return fitting.history;
  });
  process.off("SIGINT", leave);
  const { loss, metrics } = fit;
  const result = test && (await train.evaluate(model, test, { loss, ...(metrics && { metrics }) }));
  const bytes = await writeModel(model, out);
  if (result) say(`test  ${told(result)}`);
  say(`${out}: ${bytes} bytes`);
  if (json) console.log(JSON.stringify({ out, bytes, ...history, ...(result && { test: result }) }));
}

const say = (line: string) => console.error(line);

const told = (logs: Record<string, number>): string =>
  Object.entries(logs)
    .map(([name, value]) => `${name} ${value.toFixed(4)}`)
    .join("  ");

/** Functions are given everything that the package exports. */
async function readConfig(path: string): Promise<Config> {
  await stat(path).catch((error) => {
    throw fileError(path, error);
  });
  oneLanewise();
  const module = (await import(pathToFileURL(resolve(path)).href)) as Record<string, unknown>;
  const given = { ...module, ...(module.default as Record<string, unknown> | undefined) };
  const whole = { ...lanewise, ...train, ...data };
  const read = async (key: string) => {
    const value = given[key];
    return typeof value === "function" ? await value(whole) : await value;
  };
  const config = {
    model: await read("model"),
    data: await read("data"),
    fit: await read("fit"),
    test: await read("test"),
  };
  const missing = (["model", "data", "fit"] as const).find((key) => config[key] === undefined);
  if (missing)
    throw new UsageError(`${path}: expected a module that exports model, data and fit; there is no ${missing}`);
  return config as Config;
}

/** "lanewise" is this very copy wherever a configuration lies: it needs none installed, and models of two copies do not mix. */
function oneLanewise(): void {
  const names = ["", "/train", "/data", "/int8", "/tflite", "/serve", "/kernels"].map((name) => `lanewise${name}`);
  const map = Object.fromEntries(names.map((name) => [name, import.meta.resolve(name)]));
  const hook = `const map = ${JSON.stringify(map)};
    export const resolve = (name, context, next) =>
      Object.hasOwn(map, name) ? { url: map[name], shortCircuit: true } : next(name, context);`;
  register(`data:text/javascript,${encodeURIComponent(hook)}`);
}
