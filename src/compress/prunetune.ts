// Pruning while a model is fine-tuned: masks are states beside the weights, and grow by the schedule between two steps.
import { typeError } from "../errors.js";
import type { Value } from "../graph/value.js";
import { state } from "../ops/leaf.js";
import type { Model } from "../program/model.js";
import { sizeOf } from "../shape.js";
import type { Callback } from "../train/callbacks/callback.js";
import { type FitOptions, fit } from "../train/fit.js";
import type { TrainingData } from "../train/source.js";
import { masked, withMasks, zero } from "./masks.js";
import { type PruneSchedule, sparsityAt } from "./schedule.js";

type Masks = ReadonlyMap<string, Uint8Array>;

interface Pruning {
  /** Of the weights that are pruned. */
  readonly names: readonly string[];
  /** The masks that the model has already. */
  readonly before: Masks;
  /** Masks for shares of what is to be left out in the end; what `kept` leaves out stays so. */
  choose(model: Model, share: (final: number) => number, kept: Masks): Masks;
  readonly schedule: PruneSchedule;
}

/** @throws as `fit`; {TypeError} without `schedule.end` for a dataset that does not know its size */
export async function fineTune(
  model: Model,
  { names, before, choose, schedule }: Pruning,
  data: TrainingData,
  { callbacks = [], ...options }: FitOptions,
): Promise<Model> {
  const states = new Map<string, Value>();
  const trained = masked(model, (name, { node, shape }) => {
    if (!names.includes(name)) return undefined;
    const mask = state(`${node.attrs.name}.mask`, shape, { kind: "constant", value: 1 }, false, "bool");
    mask.node.layer = node.layer;
    states.set(name, mask);
    return mask;
  });
  const { store } = trained;
  const weightOf = (name: string) => trained.names.states.get(name) as Value;
  trained.setWeights(model.weights());
  let masks: Masks = new Map();
  const use = (chosen: Masks) => {
    masks = chosen;
    for (const [name, mask] of states) store.write(mask, chosen.get(name) as Uint8Array);
  };
  use(new Map(names.map((name) => [name, before.get(name) ?? new Uint8Array(sizeOf(weightOf(name).shape)).fill(1)])));
  /** What an update has made of what is left out: moments from before may still move it. */
  const clear = () => {
    for (const [name, mask] of masks) {
      const weights = store.view(weightOf(name)) as Float32Array;
      zero(weights, mask);
      store.write(weightOf(name), weights);
    }
  };
  const grow = (step: number, times: PruneSchedule) =>
    use(choose(trained, (final) => sparsityAt(step, final, times), masks));
  const pruning: Callback = {
    onTrainBegin({ steps }) {
      if (steps === 0 && (schedule.initial ?? 0) > 0) grow(0, { ...schedule, begin: 1 });
      clear();
    },
    onTrainBatchEnd({ steps, epochs }, { steps: step }) {
      const times = complete(schedule, steps === undefined ? undefined : steps * epochs);
      const { begin, end, frequency } = times;
      if (step >= begin && step <= end && ((step - begin) % frequency === 0 || step === end)) grow(step, times);
      clear();
    },
  };
  await fit(trained, data, { ...options, callbacks: [pruning, ...callbacks] });
  // A run that has ended early, or weights that are averages, may have more than is to be kept.
  return withMasks(
    model,
    choose(trained, (final) => final, masks),
    trained.weights(),
  );
}

/** @param all steps of the run, where they are known */
function complete({ begin = 0, end, frequency, ...rest }: PruneSchedule, all: number | undefined) {
  const last = end ?? (all === undefined ? undefined : Math.max(begin, Math.floor(0.75 * all)));
  if (last === undefined)
    throw typeError({
      op: "prune",
      expected: "end of the schedule, as the dataset does not know its size",
      actual: "none",
    });
  return { ...rest, begin, end: last, frequency: frequency ?? Math.max(1, Math.floor((last - begin) / 50)) };
}
