// What a model became: written, and told beside what it was.
import { report } from "../compress/index.js";
import type { Model, Tensor } from "../index.js";
import { writeModel } from "./convert.js";

interface Before {
  from: string;
  model: Model;
  /** Samples on which both are compared. */
  x: readonly Tensor[] | undefined;
  json: boolean | undefined;
}

export async function writeSmaller(small: Model, to: string, { from, model, x, json }: Before): Promise<void> {
  const written = await writeModel(small, to);
  const compared = x && (await report({ [from]: model, [to]: small }, { x }));
  if (json) console.log(JSON.stringify({ from, to, written, models: compared?.rows }));
  else console.error(`${to}: ${written} bytes${compared ? `\n${compared}` : ""}`);
}
