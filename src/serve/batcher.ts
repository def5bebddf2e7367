// Requests to one model in a queue of bounded length: those that wait together run together.
import type { Model } from "../program/model.js";
import type { Tensor } from "../tensor.js";
import { busy } from "./gate.js";
import { Refusal } from "./refusal.js";
import { runRequests } from "./together.js";

export interface BatchingOptions {
  /** Samples that run at once at most; larger requests run in pieces of it. Default 32. */
  maxBatch?: number;
  /** Milliseconds that a request may wait for others; default 0: only what is there already runs together. */
  maxWait?: number;
}

/** Looked at when its turn comes: whether anyone still wants the results. */
export interface Asker {
  readonly isGone: boolean;
}

interface Waiting {
  readonly asker: Asker;
  readonly feeds: readonly Tensor[];
  readonly samples: number;
  readonly since: number;
  readonly done: (results: readonly Tensor[]) => void;
  readonly failed: (error: unknown) => void;
}

/** Where platforms have it: before the next look for what has arrived. */
declare const setImmediate: ((run: () => void) => unknown) | undefined;

/** When all that has arrived is read. A timer takes a millisecond at least, so it is for platforms that have nothing else. */
const soon: (run: () => void) => unknown = typeof setImmediate === "function" ? setImmediate : setTimeout;

/** Runs one model. Results of a sample do not depend on what runs beside it. */
export class Batcher {
  readonly #model: Model;
  readonly #maxBatch: number;
  readonly #maxWait: number;
  readonly #limits: { readonly queue: number; readonly deadline: number };
  readonly #onBatch: ((samples: number, milliseconds: number) => void) | undefined;
  readonly #queue: Waiting[] = [];
  /** In the queue. */
  #samples = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** A batch runs, or is about to. */
  #isBusy = false;

  /**
   * @param limits.queue requests that may wait
   * @param limits.deadline milliseconds after which a request that still waits is refused
   * @param onBatch told of every batch that ran
   */
  constructor(
    model: Model,
    { maxBatch = 32, maxWait = 0 }: BatchingOptions,
    limits: { readonly queue: number; readonly deadline: number },
    onBatch?: (samples: number, milliseconds: number) => void,
  ) {
    this.#model = model;
    this.#maxBatch = maxBatch;
    this.#maxWait = maxWait;
    this.#limits = limits;
    this.#onBatch = onBatch;
  }

  /** Requests that wait. */
  get waiting(): number {
    return this.#queue.length;
  }

  /**
   * The results for one request.
   * @throws {Refusal} 503 when the queue is full, 504 when its turn comes too late, 499 when whoever asked is gone
   */
  infer(feeds: readonly Tensor[], asker: Asker): Promise<readonly Tensor[]> {
    const { queue: most } = this.#limits;
    if (this.#queue.length >= most) throw busy(`expected at most ${most} requests at a time: try again`);
    return new Promise((done, failed) => {
      const samples = this.#model.batchOf(feeds);
      this.#queue.push({ asker, feeds, samples, since: performance.now(), done, failed });
      this.#samples += samples;
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isBusy) return;
    if (this.#samples < this.#maxBatch && this.#maxWait > 0) {
      this.#timer ??= setTimeout(() => this.#run(), this.#maxWait);
      return;
    }
    clearTimeout(this.#timer);
    this.#isBusy = true;
    soon(() => this.#run());
  }

  #run(): void {
    this.#timer = undefined;
    this.#isBusy = true;
    const start = performance.now();
    const batch = this.#take(start);
    const feeds = batch.map((waiting) => waiting.feeds);
    const steps = runRequests(this.#model, feeds, this.#maxBatch);
    const step = () => {
      try {
        const { done, value: results } = steps.next();
        if (!done) {
          if (batch.every(({ asker }) => asker.isGone)) throw left();
          soon(step);
          return;
        }
        const samples = batch.reduce((n, each) => n + each.samples, 0);
        if (batch.length > 0) this.#onBatch?.(samples, performance.now() - start);
        for (const [i, { done }] of batch.entries()) done(results[i]);
      } catch (error) {
        for (const { failed } of batch) failed(error);
      }
      this.#isBusy = false;
      if (this.#queue.length > 0) this.#schedule();
    };
    step();
  }

  /** The next requests that fit one batch, at least one. Those that waited too long, or that nobody wants, leave the queue as well. */
  #take(now: number): Waiting[] {
    const { deadline } = this.#limits;
    const batch: Waiting[] = [];
    let samples = 0;
    let taken = 0;
    for (const next of this.#queue) {
      if (next.asker.isGone) next.failed(left());
      else if (now - next.since > deadline) next.failed(new Refusal(504, `expected to run within ${deadline} ms`));
      else if (samples > 0 && samples + next.samples > this.#maxBatch) break;
      else {
        batch.push(next);
        samples += next.samples;
      }
      this.#samples -= next.samples;
      taken++;
    }
    this.#queue.splice(0, taken);
    return batch;
  }
}

const left = (): Refusal => new Refusal(499, "the client left");
