// Requests to one model in a queue of bounded length: those that wait together run together.
import type { Model } from "../program/model.js";
import type { Tensor } from "../tensor.js";
import { Refusal } from "./refusal.js";
import { runRequests } from "./together.js";

export interface BatchingOptions {
  /** Samples that run at once at most; larger requests run in pieces of it. Default 32. */
  maxBatch?: number;
  /** Milliseconds that a request may wait for others; default 0: only what is there already runs together. */
  maxWait?: number;
}

interface Waiting {
  readonly feeds: readonly Tensor[];
  readonly samples: number;
  readonly done: (results: readonly Tensor[]) => void;
  readonly failed: (error: unknown) => void;
}

/** Runs one model. Results of a sample do not depend on what runs beside it. */
export class Batcher {
  readonly #model: Model;
  readonly #maxBatch: number;
  readonly #maxWait: number;
  readonly #most: number;
  readonly #queue: Waiting[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #onBatch: ((samples: number, milliseconds: number) => void) | undefined;

  /**
   * @param most requests that may wait
   * @param onBatch told of every batch that ran
   */
  constructor(
    model: Model,
    { maxBatch = 32, maxWait = 0 }: BatchingOptions,
    most: number,
    onBatch?: (samples: number, milliseconds: number) => void,
  ) {
    this.#model = model;
    this.#maxBatch = maxBatch;
    this.#maxWait = maxWait;
    this.#most = most;
    this.#onBatch = onBatch;
  }

  /** Requests that wait. */
  get waiting(): number {
    return this.#queue.length;
  }

  /**
   * The results for one request.
   * @throws {Refusal} 503 when the queue is full, 504 after `deadline` ms in it; when `signal` aborts it leaves the queue
   */
  infer(feeds: readonly Tensor[], deadline: number, signal: AbortSignal): Promise<readonly Tensor[]> {
    if (this.#queue.length >= this.#most) {
      const message = `expected at most ${this.#most} requests at a time: try again`;
      throw new Refusal(503, message, { headers: { "retry-after": "1" } });
    }
    return new Promise((resolve, reject) => {
      const leave = (error: unknown) => {
        const at = this.#queue.indexOf(waiting);
        if (at < 0) return;
        this.#queue.splice(at, 1);
        settle();
        reject(error);
      };
      const onAbort = () => leave(signal.reason);
      const timer = setTimeout(() => leave(new Refusal(504, `expected to run within ${deadline} ms`)), deadline);
      const settle = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
      };
      const waiting: Waiting = {
        feeds,
        samples: this.#model.batchOf(feeds),
        done: (results) => {
          settle();
          resolve(results);
        },
        failed: (error) => {
          settle();
          reject(error);
        },
      };
      if (signal.aborted) {
        settle();
        reject(signal.reason);
        return;
      }
      signal.addEventListener("abort", onAbort);
      this.#queue.push(waiting);
      this.#schedule();
    });
  }

  #schedule(): void {
    const samples = this.#queue.reduce((n, each) => n + each.samples, 0);
    if (samples >= this.#maxBatch) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#run(), 0);
    } else {
      this.#timer ??= setTimeout(() => this.#run(), this.#maxWait);
    }
  }

  #run(): void {
    this.#timer = undefined;
    const batch: Waiting[] = [];
    let samples = 0;
    while (this.#queue.length > 0 && (samples === 0 || samples + this.#queue[0].samples <= this.#maxBatch)) {
      const next = this.#queue.shift() as Waiting;
      batch.push(next);
      samples += next.samples;
    }
    if (batch.length === 0) return;
    if (this.#queue.length > 0) this.#schedule();
    const start = performance.now();
    try {
      const results = runRequests(
        this.#model,
        batch.map(({ feeds }) => feeds),
        this.#maxBatch,
      );
      this.#onBatch?.(samples, performance.now() - start);
      batch.forEach(({ done }, i) => {
        done(results[i]);
      });
    } catch (error) {
      for (const { failed } of batch) failed(error);
    }
  }
}
