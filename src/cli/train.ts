// lanewise train: a module says what and how, the command trains, tells how it goes, and writes the file.
import type { Command } from "commander";
import * as train from "../train/index.js";
import { readConfig } from "./config.js";
import { checkOutput, writeModel } from "./convert.js";
import { integer } from "./usage.js";

interface Options {
  out: string;
  epochs?: number;
  json?: boolean;
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
  const { model, data: examples, fit, test } = await readConfig(path, ["model", "data", "fit"]);
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
