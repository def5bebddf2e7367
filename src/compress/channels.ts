// Pruning of whole channels: units of dense layers and filters of convolutions, by the norm of their weights (Li and others 2017).
import { rangeError, UnsupportedError } from "../errors.js";
import type { Model } from "../program/model.js";
import type { TypedArray } from "../tensor.js";
import { type FitOptions, fit } from "../train/fit.js";
import type { TrainingData } from "../train/source.js";
import { Channels, type Producer } from "./labels.js";
import { shrink } from "./shrink.js";

/** Layers whose channels are tied together by sums, and what of them may go. */
interface Team {
  readonly members: Set<string>;
  /** By the roots of labels: the mean square of the weights that make the channel, of all members. */
  readonly scores: Map<number, number>;
  share: number;
}

const op = "prune";

/** @param shares by the names of weights; @param named whether the user has named them: then each must be able to lose channels */
export async function pruneChannels(
  model: Model,
  shares: ReadonlyMap<string, number>,
  { named, global }: { named: boolean; global: boolean },
  finetune?: FitOptions & { readonly data: TrainingData },
): Promise<Model> {
  const channels = new Channels(model.graph);
  const weightNames = new Map([...model.names.states].map(([name, value]) => [value, name]));
  const nameOf = ({ weights }: Producer) => weightNames.get(weights) as string;
  const teams = teamsOf(model, channels, nameOf, shares);
  for (const name of named ? shares.keys() : []) {
    if ((shares.get(name) as number) === 0 || teams.some(({ members, scores }) => members.has(name) && scores.size > 0))
      continue;
    throw new UnsupportedError(
      `prune: "${name}" cannot lose channels: its results are outputs, or an op needs all of them`,
      [name],
    );
  }
  if (teams.every(({ scores }) => scores.size === 0))
    throw new UnsupportedError("prune: no layer can lose channels: their results are outputs, or ops need all of them");
  const gone = chosen(teams, global);
  // A layer without any channel would be none.
  for (const { outputs } of channels.producers) {
    if (outputs.some((label) => !gone.has(channels.root(label)))) continue;
    const best = bestOf(
      outputs.map((label) => channels.root(label)),
      teams,
    );
    gone.delete(best);
  }
  const made = await shrink(model, channels, (label) => !gone.has(channels.root(label)));
  if (finetune !== undefined) {
    const { data, ...options } = finetune;
    await fit(made, data, options);
  }
  return made;
}

function teamsOf(
  model: Model,
  channels: Channels,
  nameOf: (producer: Producer) => string,
  shares: ReadonlyMap<string, number>,
): Team[] {
  const teams = new Map<number, Team>();
  for (const producer of channels.producers) {
    const name = nameOf(producer);
    const roots = producer.outputs.map((label) => channels.root(label));
    const norms = normsOf(name, model.store.view(producer.weights), roots.length);
    const known = [...new Set(roots.flatMap((root) => teams.get(root) ?? []))];
    const team: Team = {
      members: new Set([name, ...known.flatMap(({ members }) => [...members])]),
      scores: new Map(known.flatMap(({ scores }) => [...scores])),
      share: Math.max(shares.get(name) ?? 0, ...known.map(({ share }) => share)),
    };
    roots.forEach((root, i) => {
      if (!channels.isLocked(root)) team.scores.set(root, (team.scores.get(root) ?? 0) + norms[i]);
    });
    for (const root of [...roots, ...known.flatMap(({ scores }) => [...scores.keys()])]) teams.set(root, team);
  }
  return [...new Set(teams.values())];
}

/** The mean square of each column of weights [..., n]. */
function normsOf(layer: string, data: TypedArray, n: number): Float64Array {
  const sums = new Float64Array(n);
  for (let i = 0; i < data.length; i++) sums[i % n] += data[i] * data[i];
  const wrong = sums.findIndex((sum) => !Number.isFinite(sum));
  if (wrong >= 0) throw rangeError({ op, layer, expected: "finite weights", actual: `others in channel ${wrong}` });
  return sums.map((sum) => (sum * n) / Math.max(1, data.length));
}

/** Roots of the channels that go. @param global channels of all layers are compared, by how much smaller they are than their layer's mean */
function chosen(teams: readonly Team[], global: boolean): Set<number> {
  const lists = teams.map(({ scores, share }) => {
    const mean = [...scores.values()].reduce((sum, score) => sum + score, 0) / Math.max(1, scores.size);
    return {
      share,
      list: [...scores].map(([root, score]) => ({ root, score: global && mean > 0 ? score / mean : score })),
    };
  });
  const all = global ? [{ share: lists[0].share, list: lists.flatMap(({ list }) => list) }] : lists;
  return new Set(
    all.flatMap(({ share, list }) =>
      list
        .sort((a, b) => a.score - b.score || a.root - b.root)
        .slice(0, Math.round(share * list.length))
        .map(({ root }) => root),
    ),
  );
}

const bestOf = (roots: readonly number[], teams: readonly Team[]): number => {
  const score = (root: number) => teams.find(({ scores }) => scores.has(root))?.scores.get(root) ?? 0;
  return roots.reduce((a, b) => (score(b) > score(a) ? b : a));
};
