// Learning rates that change from step to step, as Keras' `keras.optimizers.schedules`: functions of the number of steps done.
// Numbers come from ./numbers.ts, so that a schedule has the same bits in every engine.
import { rangeError, ShapeError, told, typeError } from "../errors.js";
import { cosPi, pow } from "../numbers.js";

/** The learning rate of a step; the first step is 0. */
export type Schedule = (step: number) => number;

/** @throws {RangeError} unless every number is finite and at least `low` */
function atLeast(op: string, low: number, numbers: Readonly<Record<string, number | undefined>>): void {
  for (const [what, value] of Object.entries(numbers)) {
    if (Number.isFinite(value) && (value as number) >= low) continue;
    throw rangeError({ op, expected: `${what} to be a number of at least ${low}`, actual: told(value) });
  }
}

export interface CosineDecayOptions {
  /** The least rate as a share of the highest; default 0. */
  alpha?: number;
  /** What the rate rises to, linearly, over `warmupSteps`; default no rise. */
  warmupTarget?: number;
  /** Default 0. `decaySteps` are counted from its end. */
  warmupSteps?: number;
}

/**
 * Half a cosine from the initial rate to `alpha` times it, as Keras' `CosineDecay`: with a warm-up, first linearly from the initial rate
 * to `warmupTarget`, and from there down. Loshchilov and Hutter, "SGDR", 2017.
 * @param initialLearningRate rate of the first step
 * @param decaySteps steps of the decay; the rate stays as it is afterwards
 * @throws {RangeError} for a number that is negative or no number
 * @example
 * const rate = cosineDecay(0, 1000, { warmupTarget: 0.1, warmupSteps: 100 });
 * rate(50); // 0.05
 * rate(600); // 0.05
 */
export function cosineDecay(
  initialLearningRate: number,
  decaySteps: number,
  { alpha = 0, warmupTarget, warmupSteps = 0 }: CosineDecayOptions = {},
): Schedule {
  atLeast("cosineDecay", 0, { initialLearningRate, alpha, warmupTarget: warmupTarget ?? 0, warmupSteps });
  atLeast("cosineDecay", 1, { decaySteps });
  const top = warmupTarget ?? initialLearningRate;
  const before = warmupTarget === undefined ? 0 : warmupSteps;
  return (step) => {
    if (step < before) return initialLearningRate + (step / before) * (top - initialLearningRate);
    const done = Math.min(step - before, decaySteps) / decaySteps;
    return top * ((1 - alpha) * 0.5 * (1 + cosPi(done)) + alpha);
  };
}

/**
 * rate * decayRate^(step / decaySteps), as Keras' `ExponentialDecay`.
 * @param options.staircase whole powers only, so that the rate falls in steps; default false
 * @throws {RangeError} for a number that is negative or no number
 * @example
 * const rate = exponentialDecay(0.1, 100, 0.5, { staircase: true });
 * rate(250); // 0.025
 */
export function exponentialDecay(
  initialLearningRate: number,
  decaySteps: number,
  decayRate: number,
  { staircase = false }: { staircase?: boolean } = {},
): Schedule {
  atLeast("exponentialDecay", 0, { initialLearningRate, decayRate });
  atLeast("exponentialDecay", 1, { decaySteps });
  return (step) => {
    const power = step / decaySteps;
    return initialLearningRate * pow(decayRate, staircase ? Math.floor(power) : power);
  };
}

/**
 * One rate after the other, as Keras' `PiecewiseConstantDecay`: `values[i]` up to and with step `boundaries[i]`, the last one after that.
 * @throws {ShapeError} unless there is one value more than boundaries; {RangeError} for boundaries that do not rise
 * @example
 * const rate = piecewise([100, 200], [0.1, 0.01, 0.001]);
 * [rate(100), rate(101), rate(999)]; // [0.1, 0.01, 0.001]
 */
export function piecewise(boundaries: readonly number[], values: readonly number[]): Schedule {
  if (!Array.isArray(boundaries) || !Array.isArray(values))
    throw typeError({ op: "piecewise", expected: "lists of boundaries and values", actual: told(boundaries) });
  if (values.length !== boundaries.length + 1) {
    const expected = `${boundaries.length + 1} values for ${boundaries.length} boundaries`;
    throw new ShapeError({ op: "piecewise", expected, actual: String(values.length) });
  }
  atLeast("piecewise", 0, Object.fromEntries(values.map((value, i) => [`values[${i}]`, value])));
  if (boundaries.some((at, i) => !(Number.isFinite(at) && (i === 0 || at > boundaries[i - 1]))))
    throw rangeError({ op: "piecewise", expected: "rising boundaries", actual: JSON.stringify(boundaries) });
  return (step) => {
    const at = boundaries.findIndex((boundary) => step <= boundary);
    return values[at < 0 ? boundaries.length : at];
  };
}

export interface PolynomialDecayOptions {
  /** Default 0.0001. */
  endLearningRate?: number;
  /** Default 1: a straight line. */
  power?: number;
  /** Begin again with a longer decay when the end is reached; default false. */
  cycle?: boolean;
}

/**
 * (initial - end) (1 - step / decaySteps)^power + end, as Keras' `PolynomialDecay`.
 * @throws {RangeError} for a number that is negative or no number
 * @example
 * const rate = polynomialDecay(0.5, 100, { endLearningRate: 0 });
 * rate(50); // 0.25
 */
export function polynomialDecay(
  initialLearningRate: number,
  decaySteps: number,
  { endLearningRate = 0.0001, power = 1, cycle = false }: PolynomialDecayOptions = {},
): Schedule {
  atLeast("polynomialDecay", 0, { initialLearningRate, endLearningRate, power });
  atLeast("polynomialDecay", 1, { decaySteps });
  return (step) => {
    const length = cycle ? decaySteps * Math.max(1, Math.ceil(step / decaySteps)) : decaySteps;
    const left = 1 - Math.min(step, length) / length;
    return (initialLearningRate - endLearningRate) * pow(left, power) + endLearningRate;
  };
}

/**
 * Rises linearly to what another schedule (or a number) says, over the first steps: step 0 gets 1 / steps of it, step `steps - 1` all.
 * The other schedule counts from the very first step too.
 * @throws {RangeError} unless `steps` is a positive integer
 * @example
 * const rate = warmup(0.5, 10);
 * [rate(0), rate(4), rate(10)]; // [0.05, 0.25, 0.5]
 */
export function warmup(schedule: number | Schedule, steps: number): Schedule {
  if (!(Number.isSafeInteger(steps) && steps >= 1))
    throw rangeError({ op: "warmup", expected: "steps to be a positive integer", actual: String(steps) });
  const after = asSchedule(schedule, "warmup");
  return (step) => (step < steps ? (after(step) * (step + 1)) / steps : after(step));
}

/** A rate or a schedule as a schedule. @throws {RangeError} for a number that is negative or none */
export function asSchedule(learningRate: number | Schedule, op: string): Schedule {
  if (typeof learningRate === "function") return learningRate;
  atLeast(op, 0, { learningRate });
  return () => learningRate;
}
