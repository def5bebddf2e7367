// Gradients of a model by themselves, for saliency, for tests and for training loops of one's own.
import { checkKeys, rangeError, told, typeError } from "../errors.js";
import { type Graph, isValue, type Value } from "../graph/value.js";
import { broadcastTo } from "../ops/broadcast.js";
import { scalar } from "../ops/leaf.js";
import { sum } from "../ops/reduce.js";
import { gradients as differentiate } from "../passes/grad.js";
import { inference } from "../passes/inference.js";
import type { Model } from "../program/model.js";
import type { Program } from "../program/program.js";
import type { Tensor, TypedArray } from "../tensor.js";
import { trainingProgram } from "./kernels.js";
import { checkModel } from "./objective.js";

/** What is asked for. */
export interface Gradients {
  /** What is differentiated: an output by name, or what a function makes of the outputs. All its elements are added up. */
  of: string | ((outputs: Value[]) => Value);
  /** Names of weights and of inputs. */
  wrt: readonly string[];
}

/** How many batch sizes keep their programs. */
const PROGRAMS = 4;

/**
 * The gradients of a number that is computed from a model's outputs, with respect to weights and inputs. The model runs as it does for
 * `predict`: nothing is dropped, and batch normalization uses its moving statistics.
 * @returns a function of a batch, as `predict` takes it, to one tensor per name: [batch, ...] for inputs; zeros where nothing flows. Its
 *   programs live as long as the model.
 * @throws {TypeError} for a name that there is not; {UnsupportedError} when an op on the way has no gradient
 * @example
 * const model = await build(input([2], { name: "x" }), dense(1, { kernelInitializer: "ones", name: "d" }));
 * const gradient = gradients(model, { of: "d", wrt: ["x", "d/kernel"] });
 * const { x, "d/kernel": kernel } = gradient(tensor([[3, 4]]));
 * [...x.data]; // [1, 1]
 * [...kernel.data]; // [3, 4]
 */
export function gradients(
  model: Model,
  options: Gradients,
): (x: Tensor | TypedArray | readonly (Tensor | TypedArray)[]) => Record<string, Tensor> {
  checkModel(model, "gradients");
  checkKeys("gradients", options, ["of", "wrt"]);
  const { of, wrt } = options;
  if (!Array.isArray(wrt))
    throw typeError({ op: "gradients", expected: "wrt to be a list of names", actual: told(wrt) });
  if (typeof of !== "string" && typeof of !== "function")
    throw typeError({ op: "gradients", expected: "of to be the name of an output or a function", actual: told(of) });
  for (const name of wrt) checkName(name, "weights or inputs", [...model.names.states.keys(), ...model.names.inputs]);
  if (typeof of === "string")
    checkName(
      of,
      "outputs",
      model.outputs.map((output) => output.name),
    );
  gradientGraph(model, of, wrt, 1); // what cannot be differentiated is told here, not at the first call
  const programs = new Map<number, Program>();
  return (x) => {
    const feeds = model.feeds(x, "gradients");
    const batch = feeds[0].shape[0];
    if (batch === 0) throw rangeError({ op: "gradients", expected: "at least one sample", actual: "none" });
    const program = programs.get(batch) ?? trainingProgram(model, gradientGraph(model, of, wrt, batch));
    programs.delete(batch);
    programs.set(batch, program);
    if (programs.size > PROGRAMS) {
      const [oldest, stale] = programs.entries().next().value as [number, Program];
      stale.free();
      programs.delete(oldest);
    }
    const { inputs, outputs } = program.layout.graph;
    program.bind();
    feeds.forEach((feed, i) => {
      program.view(inputs[i]).set(feed.data);
    });
    program.run();
    const results = outputs.map((value): Tensor => {
      const { shape, dtype } = value;
      return { data: program.view(value).slice(), shape: [...shape], dtype };
    });
    return Object.fromEntries(wrt.map((name, i) => [name, results[i]]));
  };
}

function checkName(name: string, what: string, known: readonly string[]): void {
  if (known.includes(name)) return;
  throw typeError({ op: "gradients", expected: `${what} of ${known.join(", ")}`, actual: JSON.stringify(name) });
}

function gradientGraph(model: Model, of: Gradients["of"], wrt: readonly string[], batch: number): Graph {
  const { inputs, outputs } = inference(model.atBatch(batch));
  const target =
    typeof of === "string" ? outputs[model.outputs.findIndex(({ name }) => name === of)] : of([...outputs]);
  if (!isValue(target)) throw typeError({ op: "gradients", expected: "of to give a Value", actual: typeof target });
  const values = wrt.map((name) => model.names.states.get(name) ?? inputs[model.names.inputs.indexOf(name)]);
  const found = differentiate(sum(target), values);
  return {
    inputs,
    outputs: values.map((value, i) => found[i] ?? broadcastTo(scalar(0), value.shape)),
    effects: [],
  };
}
