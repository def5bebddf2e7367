// The models that a service has loaded: each name with the version it serves, swapped for another without a request noticing.
import { typeError } from "../errors.js";
import type { Model } from "../program/model.js";
import { Batcher, type BatchingOptions } from "./batcher.js";
import { Gate } from "./gate.js";
import { type OpenOptions, openVersion } from "./publish.js";
import { Refusal } from "./refusal.js";
import { isName, type ModelStore } from "./store.js";

/** Where models come from: a store, or models by name, loaded when first asked for. */
export type ModelSource = ModelStore | Record<string, Model | (() => Promise<Model>)>;

/** A version that serves. */
export interface Served {
  readonly name: string;
  readonly version: string;
  readonly model: Model;
  readonly batcher: Batcher;
  /** Bounds its requests under way. */
  readonly gate: Gate;
}

export interface HostOptions {
  readonly batching: BatchingOptions;
  /** Of each model. */
  readonly limits: { readonly queue: number; readonly deadline: number; readonly concurrency: number };
  /** Milliseconds after which the store is asked again which version is current. */
  readonly refresh: number;
  readonly open: OpenOptions;
  /** Told when a version takes over, and when one could not. */
  readonly onLoad: (event: { model: string; version: string; milliseconds: number; error?: unknown }) => void;
  readonly onBatch: (model: string, samples: number, milliseconds: number) => void;
}

interface Slot {
  served?: Served;
  /** When the store was last asked. */
  asked: number;
  loading?: Promise<Served> | undefined;
}

/** Versions that stay loaded because they were asked for by number. */
const PINNED = 8;

/** The version of models that no store numbers. */
const ONLY = "1";

export class Host {
  readonly #source: ModelSource;
  readonly #options: HostOptions;
  /** What serves to those who name no version. */
  readonly #current = new Map<string, Slot>();
  /** Versions that were asked for by number; the last few stay. */
  readonly #pinned = new Map<string, Slot>();

  constructor(source: ModelSource, options: HostOptions) {
    if (typeof source !== "object" || source === null)
      throw typeError({ op: "serve", expected: "models to be a store or models by name", actual: String(source) });
    if (!isStore(source)) {
      const wrong = Object.keys(source).find((name) => !isName(name));
      const expected = 'names of models of letters, digits, ".", "_" and "-"';
      if (wrong !== undefined) throw typeError({ op: "serve", expected, actual: JSON.stringify(wrong) });
    }
    this.#source = source;
    this.#options = options;
  }

  /** Names of all models. */
  names(): Promise<string[]> {
    return isStore(this.#source) ? this.#source.list() : Promise.resolve(Object.keys(this.#source).sort());
  }

  /** @throws {Refusal} 404 when there is no such model */
  async versions(name: string): Promise<string[]> {
    const versions = isStore(this.#source) ? await this.#source.versions(name) : this.#has(name) ? [ONLY] : [];
    if (versions.length === 0) throw unknownModel(name);
    return versions;
  }

  /** Requests in the queues. */
  get waiting(): number {
    return [...this.#current.values(), ...this.#pinned.values()].reduce(
      (n, { served }) => n + (served?.batcher.waiting ?? 0),
      0,
    );
  }

  /**
   * The model for a request. While a newer version loads, or when it cannot be loaded, the one before goes on serving.
   * @throws {Refusal} 404 when there is no such model or version, 503 when none of it can be loaded
   */
  async get(name: string, version?: string): Promise<Served> {
    if (!isName(name) || (version !== undefined && !isName(version))) throw unknownModel(name, version);
    const slot = this.#slot(name, version);
    const isFresh = version !== undefined || !isStore(this.#source) || now() - slot.asked < this.#options.refresh;
    if (slot.served && isFresh) return slot.served;
    slot.asked = now();
    slot.loading ??= this.#load(name, version, slot).finally(() => {
      slot.loading = undefined;
    });
    if (!slot.served) return slot.loading;
    slot.loading.catch(() => {}); // told to the hook; the old version serves
    return slot.served;
  }

  /** Asks the store now which version is current, and waits until it serves. @throws whatever keeps it from serving */
  async reload(name: string): Promise<string> {
    const slot = this.#slot(name, undefined);
    while (slot.loading) await slot.loading.catch(() => {}); // whose answer may be from before
    slot.asked = now();
    slot.loading = this.#load(name, undefined, slot).finally(() => {
      slot.loading = undefined;
    });
    return (await slot.loading).version;
  }

  #slot(name: string, version: string | undefined): Slot {
    const current = this.#current.get(name);
    if (version === undefined) return current ?? kept(this.#current, name);
    return current?.served?.version === version ? current : kept(this.#pinned, `${name}/${version}`);
  }

  async #load(name: string, wanted: string | undefined, slot: Slot): Promise<Served> {
    const start = now();
    let version = wanted;
    try {
      version ??= isStore(this.#source) ? await this.#source.current(name) : this.#has(name) ? ONLY : undefined;
      if (version === undefined) throw unknownModel(name);
      if (slot.served?.version === version && isStore(this.#source)) return slot.served;
      const model = await this.#open(name, version);
      const { batching, limits, onBatch } = this.#options;
      const batcher = new Batcher(model, batching, limits, (samples, ms) => onBatch(name, samples, ms));
      slot.served = { name, version, model, batcher, gate: new Gate(limits.concurrency) };
      if (wanted !== undefined) trim(this.#pinned, PINNED);
      this.#options.onLoad({ model: name, version, milliseconds: now() - start });
      return slot.served;
    } catch (error) {
      if (!slot.served)
        (wanted === undefined ? this.#current : this.#pinned).delete(wanted ? `${name}/${wanted}` : name);
      if (error instanceof Refusal && !slot.served) throw error; // what strangers ask for is nobody's failure
      this.#options.onLoad({ model: name, version: version ?? "", milliseconds: now() - start, error });
      const message = error instanceof Error ? error.message : String(error);
      throw new Refusal(503, `model "${name}" could not be loaded: ${message}`, { cause: error });
    }
  }

  async #open(name: string, version: string): Promise<Model> {
    if (isStore(this.#source)) {
      const manifest = await this.#source.manifest(name, version);
      if (manifest === undefined) throw unknownModel(name, version);
      return openVersion(this.#source, manifest, { model: name, version }, this.#options.open);
    }
    if (!this.#has(name) || version !== ONLY) throw unknownModel(name, version);
    const found = this.#source[name];
    return typeof found === "function" ? found() : found;
  }

  #has(name: string): boolean {
    return Object.hasOwn(this.#source, name);
  }
}

const isStore = (source: ModelSource): source is ModelStore =>
  typeof source.list === "function" && typeof source.versions === "function" && typeof source.get === "function";

/** The slot of a key, the last one from now on; made when there is none. */
function kept(slots: Map<string, Slot>, key: string): Slot {
  const slot = slots.get(key) ?? { asked: Number.NEGATIVE_INFINITY };
  slots.delete(key);
  slots.set(key, slot);
  return slot;
}

/** Of more than `most` those that were asked for longest ago go. */
function trim(slots: Map<string, Slot>, most: number): void {
  for (const key of slots.keys()) if (slots.size > most) slots.delete(key);
}

const now = (): number => performance.now();

function unknownModel(name: string, version?: string): Refusal {
  const which = version === undefined ? "" : ` with version "${version.slice(0, 64)}"`;
  return new Refusal(404, `there is no model "${name.slice(0, 64)}"${which}`);
}
