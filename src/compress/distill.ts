// Distillation: a small model learns from what a large one makes of the same inputs. The teacher's graph stands beside the student's in one
// training program, on the same inputs: there is no second pass, and nothing to compute beforehand.
import { checkKeys, rangeError, ShapeError, told, typeError } from "../errors.js";
import type { Graph, Value } from "../graph/value.js";
import { topological } from "../graph/walk.js";
import { dense } from "../layers/dense.js";
import { logSoftmax, softmaxLogits } from "../ops/activation.js";
import { add, mul, sub } from "../ops/arithmetic.js";
import { isState, stateAttrs } from "../ops/leaf.js";
import { maskOf, withoutMask } from "../ops/mask.js";
import { dequantizeLinear, quantizedConvertOps, quantizeLinear } from "../ops/quantized/convert.js";
import { mean, sum } from "../ops/reduce.js";
import { exp, log, sigmoid, softplus, square } from "../ops/unary.js";
import { inference } from "../passes/inference.js";
import type { Model, TensorSpec } from "../program/model.js";
import { sameShape, show } from "../shape.js";
import type { Companion } from "../train/companion.js";
import { begin, type FitOptions } from "../train/fit.js";
import { probability, sigmoidLogits } from "../train/losses/crossentropy.js";
import { checkModel, resolveObjective, unmasked } from "../train/objective.js";
import type { FitRun } from "../train/run.js";
import type { TrainingData } from "../train/source.js";
import { fitOptions } from "../train/training.js";
import { resultOf, transplant } from "../train/transfer.js";

export interface DistillOptions extends FitOptions {
  /** What scores are divided by before the softmax: the higher, the more the wrong classes' shares count. Default 4. */
  temperature?: number;
  /** What the teacher counts in the loss, from 0, the labels alone, to 1, the teacher alone. Default 0.9. */
  alpha?: number;
  /** Layers of the teacher whose results layers of the student are to approach: `[["conv2d_3", "conv2d_1"]]`. Default none. */
  features?: readonly (readonly [teacher: string, student: string])[];
  /** What the squared differences of features count in the loss. Default 1. */
  beta?: number;
  /**
   * Whether outputs that are no result of a softmax or a sigmoid are scores instead of probabilities; default what the loss says of the
   * student's.
   */
  fromLogits?: boolean;
}

/**
 * Trains a student to predict as a teacher does (Hinton, Vinyals and Dean 2015), and to make of the inputs what it makes of them (Romero and
 * others 2015). What is minimised is
 *
 *     alpha T^2 KL(teacher_T || student_T) + (1 - alpha) loss + beta sum(mean((feature_t - project(feature_s))^2))
 *
 * where the first term compares what a softmax makes of scores over the temperature T; it has no part of sample and class weights, so that
 * samples without labels, of weight 0, teach as well. Outputs that are a sigmoid's are compared label by label, numbers by squared
 * differences. Scores are what a softmax at the end was applied to, or logarithms of probabilities, the same but for a constant.
 * Features that differ in their last axis are compared through a dense layer that is trained along and then dropped.
 *
 * The teacher predicts as it does for `predict`, with the weights it had at the call, and is left alone. Training is that of `fit`, with all of
 * its options; its `loss` is the whole sum, that of `validation` is the student's own on the labels.
 * @param teacher with the inputs and outputs of the student; it may be quantized
 * @throws as `fit`; {ShapeError} for models or features that do not fit; {RangeError} for a temperature, alpha or beta that cannot be; {TypeError}
 *   for layers that there are not. After any failure the student is as it was.
 * @example
 * const teacher = await build(input([4]), sequential(dense(32, { activation: "relu" }), dense(3, { activation: "softmax" })));
 * const student = await build(input([4]), dense(3, { activation: "softmax" }));
 * const data = { x: tensor([[1, 2, 3, 4], [4, 3, 2, 1]]), y: tensor([0, 1], [2], "int32") };
 * await distill(teacher, student, data, { temperature: 4, optimizer: "adam", loss: "sparseCategoricalCrossentropy", epochs: 2 });
 */
export function distill(teacher: Model, student: Model, data: TrainingData, options: DistillOptions): FitRun {
  const op = "distill";
  for (const model of [teacher, student]) checkModel(model, op);
  checkKeys(op, options, [...fitOptions, ...own] satisfies readonly (keyof DistillOptions)[]);
  const { temperature = 4, alpha = 0.9, beta = 1, features = [], fromLogits, ...training } = options;
  const within = (name: string, x: number, fits: boolean, range: string) => {
    if (!(Number.isFinite(x) && fits)) throw rangeError({ op, expected: `${name} ${range}`, actual: told(x) });
  };
  within("temperature", temperature, temperature > 0, "above 0");
  within("alpha", alpha, alpha >= 0 && alpha <= 1, "in [0, 1]");
  within("beta", beta, beta >= 0, "of at least 0");
  if (!Array.isArray(features) || features.some((pair) => !Array.isArray(pair) || pair.length !== 2))
    throw typeError({ op, expected: "features to be pairs of layers [teacher's, student's]", actual: told(features) });
  checkLike(teacher, student);
  const ends = endsOf(student, training, fromLogits);
  const companion = companionOf(teacher, student, { temperature, alpha, beta, features, ends });
  return begin(student, data, training, op, companion);
}

const own = ["temperature", "alpha", "features", "beta", "fromLogits"] as const;

type Settings = Required<Pick<DistillOptions, "temperature" | "alpha" | "beta" | "features">> & {
  readonly ends: readonly End[];
};

/** @throws {ShapeError} unless both have the same inputs and outputs */
function checkLike(teacher: Model, student: Model): void {
  const shapes = (specs: readonly TensorSpec[]) => specs.map(({ shape }) => show(shape)).join(", ");
  for (const what of ["inputs", "outputs"] as const) {
    const [expected, actual] = [shapes(student[what]), shapes(teacher[what])];
    if (expected === actual) continue;
    throw new ShapeError({ op: "distill", expected: `a teacher with the student's ${what} (${expected})`, actual });
  }
}

/** What outputs are: scores or probabilities of what, or numbers. */
interface End {
  readonly distribution: "softmax" | "sigmoid" | undefined;
  readonly fromLogits: boolean;
}

/** By what the losses say of them, else by what makes them. */
function endsOf(student: Model, options: FitOptions, fromLogits: boolean | undefined): End[] {
  const { judged } = resolveObjective(student, options, "distill");
  return student.graph.outputs.map((value, output) => {
    const loss = judged.find((one) => one.output === output)?.loss;
    const y = withoutMask(value);
    const made = softmaxLogits(y) ? "softmax" : sigmoidLogits(y) ? "sigmoid" : undefined;
    return { distribution: loss?.distribution ?? made, fromLogits: fromLogits ?? loss?.fromLogits ?? false };
  });
}

function companionOf(teacher: Model, student: Model, settings: Settings): Companion {
  const op = "distill";
  const { temperature, alpha, beta, features, ends } = settings;
  const targets = [...teacher.graph.outputs, ...features.map(([name]) => resultOf(teacher, name, op))];
  const copy = transplant(teacher, targets, (name) => `teacher/${name}`);
  const projections = features.map(([from, to]) => {
    let layer: ((x: Value) => Value) | undefined;
    return (x: Value, units: number): Value => {
      layer ??= dense(units, { name: `teacher/${from}<${to}` });
      return layer(x);
    };
  });
  const terms = (graph: Graph): Value[] => {
    const inputs = copy.inputs.map((value) => {
      const i = teacher.graph.inputs.indexOf(value);
      return asFed(graph.inputs[i], teacher.inputs[i]);
    });
    // Before anything is compared, so that nothing of the student is in it.
    const { outputs: made } = inference({ inputs: [], outputs: copy.apply(inputs), effects: [] });
    const outputs = graph.outputs.map((value, i) => {
      const taught = asFloat(withoutMask(made[i]), teacher.outputs[i]);
      const distance = distanceOf(taught, withoutMask(value), ends[i], temperature);
      return mul(mean(unmasked(distance, maskOf(value))), alpha);
    });
    const matched = features.map(([from, to], i) => {
      const [t, s] = [made[graph.outputs.length + i], resultOf({ graph, names: student.names }, to, op)].map(
        withoutMask,
      );
      const fits = sameShape(t.shape.slice(0, -1), s.shape.slice(0, -1));
      if (t.dtype !== "float32" || s.dtype !== "float32" || !fits) {
        const expected = `a float32 feature of the student that is like the teacher's "${from}" ${show(t.shape.slice(1))} but for the last axis`;
        throw new ShapeError({ op, layer: to, expected, actual: `${s.dtype} ${show(s.shape.slice(1))}` });
      }
      const units = t.shape[t.shape.length - 1];
      const projected = sameShape(s.shape, t.shape) ? s : projections[i](s, units);
      return mul(mean(square(sub(projected, t))), beta);
    });
    return [...outputs, ...matched];
  };
  // What does not fit is told at once, and projections get their weights.
  const known = new Set([...copy.states, ...student.names.states.values()]);
  const weights = topological(terms(student.graph)).flatMap(({ outputs }) => outputs.filter(isState));
  const trained = weights.filter((value) => !known.has(value));
  const named = trained.map((value) => [`${value.node.layer?.name}/${stateAttrs(value).name}`, value] as const);
  return { share: 1 - alpha, fixed: copy.states, trained: new Map(named), terms };
}

/** What the student takes, as the teacher does. */
function asFed(x: Value, { name: layer, dtype, quantization }: TensorSpec): Value {
  if (x.dtype === dtype) return x;
  if (x.dtype === "float32" && dtype === "int8" && quantization) return quantizeLinear(x, quantization);
  throw typeError({ op: "distill", layer, expected: `a student that takes ${dtype} as its teacher`, actual: x.dtype });
}

function asFloat(y: Value, { name: layer, quantization }: TensorSpec): Value {
  if (y.dtype === "float32") return y;
  if (y.dtype === "int8" && quantization) return dequantizeLinear(y, quantization);
  throw typeError({ op: "distill", layer, expected: "a teacher whose outputs stand for floats", actual: y.dtype });
}

/** How far the student's outputs [..., n] are from the teacher's: [...]. */
function distanceOf(taught: Value, learnt: Value, { distribution, fromLogits }: End, temperature: number): Value {
  if (distribution === undefined) return mean(square(sub(learnt, taught)), -1);
  const isClasses = distribution === "softmax";
  const [t, s] = [taught, learnt].map((y) => {
    const scores = (isClasses ? softmaxLogits(y) : sigmoidLogits(y)) ?? (fromLogits && !isShares(y) ? y : undefined);
    const p = probability(y);
    return mul(scores ?? (isClasses ? log(p) : sub(log(p), log(sub(1, p)))), 1 / temperature);
  });
  const distance = isClasses ? divergence(logSoftmax(t), logSoftmax(s)) : mean(divergenceOfLabels(t, s), -1);
  return mul(distance, temperature * temperature);
}

/** Whether it is what an int8 softmax made. */
const isShares = ({ node: { op, inputs } }: Value): boolean =>
  op === quantizedConvertOps.quantizedSoftmax ||
  ((op === quantizedConvertOps.dequantizeLinear || op.view === true) && isShares(inputs[0]));

/** KL of logarithms of distributions: sum(p_t (log p_t - log p_s)). */
const divergence = (t: Value, s: Value): Value => sum(mul(exp(t), sub(t, s)), -1);

/** The same for two probabilities p = sigmoid(z) and 1 - p each; as log p = z - softplus(z), it is p_t (z_t - z_s) - softplus(z_t) + softplus(z_s). */
const divergenceOfLabels = (t: Value, s: Value): Value =>
  add(mul(sigmoid(t), sub(t, s)), sub(softplus(s), softplus(t)));
