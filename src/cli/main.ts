// The command `lanewise`: one file for each subcommand. What is data goes to standard output, all else to standard error.
import { Command, CommanderError } from "commander";
import { isOwnError } from "../errors.js";
import { addBench } from "./bench.js";
import { addConvert } from "./convert.js";
import { addEvaluate } from "./evaluate.js";
import { addInit } from "./init.js";
import { addInspect } from "./inspect.js";
import { addPack } from "./pack.js";
import { addPredict } from "./predict.js";
import { addPrune } from "./prune.js";
import { addQuantize } from "./quantize.js";
import { addServe } from "./serve.js";
import { addTrain } from "./train.js";
import { UsageError } from "./usage.js";

declare const __VERSION__: string;

const program = new Command("lanewise")
  .description("Neural networks that train, compress and serve anywhere JavaScript runs.")
  .version(__VERSION__)
  .exitOverride()
  .configureOutput({ outputError: () => {} }); // said below, on one line
for (const add of [
  addInit,
  addTrain,
  addEvaluate,
  addConvert,
  addQuantize,
  addPrune,
  addInspect,
  addPredict,
  addBench,
  addServe,
  addPack,
])
  add(program);
for (const command of program.commands) command.exitOverride().configureOutput({ outputError: () => {} });

const say = (text: string) => console.error(`lanewise: ${text.trim().replace(/\s*\n\s*/g, " ")}`);

function fail(error: unknown): void {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return; // help and version
    say(error.message.replace(/^error: /, ""));
    process.exitCode = 2;
    return;
  }
  process.exitCode = error instanceof UsageError ? 2 : 1;
  if (error instanceof UsageError || isOwn(error)) say(error.message);
  else console.error(error);
}

/** What Lanewise says of a file or of data; anything else is a mistake in here, and keeps its stack. */
const isOwn = (error: unknown): error is Error => isOwnError(error);

if (process.argv.length > 2) program.parseAsync().catch(fail);
else fail(new UsageError("expected a command; `lanewise --help` lists them"));
