// Which graphs of a file give its variables what they begin with.
import { FormatError } from "../../errors.js";
import { DEFINED_BATCH } from "../../ops/leaf.js";
import type { TfliteGraph, TfliteOperator } from "./schema.js";

/** Position of the graph that an operator runs once. */
const target = ({ options }: TfliteOperator): number => options?.int(0) ?? 0;

/** How many graphs may name each other in a row. */
const MAX_DEPTH = 16;

/**
 * The graphs that CALL_ONCE names, each once and after those that it names itself.
 * @throws {FormatError} where one is not there, takes or gives something, or would run itself
 */
export function initialGraphs(graphs: readonly TfliteGraph[]): TfliteGraph[] {
  const order = new Set<number>();
  const open = new Set<number>();
  const visit = (at: number): void => {
    open.add(at);
    for (const operator of graphs[at].operators) {
      if (operator.name !== "CALL_ONCE") continue;
      const next = target(operator);
      if (order.has(next)) continue;
      const graph = graphs[next];
      if (graph === undefined || open.has(next) || open.size > MAX_DEPTH)
        throw new FormatError(`tflite: CALL_ONCE: expected one of ${graphs.length} graphs, and no cycle, got ${next}`);
      if (graph.inputs.length + graph.outputs.length > 0)
        throw new FormatError(`tflite: CALL_ONCE: expected a graph without inputs and outputs, got graph ${next}`);
      visit(next);
    }
    open.delete(at);
    if (at > 0) order.add(at);
  };
  visit(0);
  return [...order].map((at) => graphs[at]);
}

/** Operators whose states know nothing of a batch. */
const ALONE = new Set(["SVDF", "VAR_HANDLE"]);

/** How many samples the model may be given at once, where that is not for each operator to say. */
export const mostSequences = ({ operators }: TfliteGraph): number | undefined =>
  operators.some(({ name }) => ALONE.has(name)) ? DEFINED_BATCH : undefined;
