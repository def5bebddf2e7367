// A training run: a promise of its history that can be iterated instead.
import { typeError } from "../errors.js";
import type { FitStep, History } from "./callbacks/callback.js";

/**
 * Starts on the next microtask and runs by itself, unless it is iterated right away: then every step waits for the loop's body, and
 * leaving the loop ends the run. Either way it settles as a promise.
 */
export class FitRun implements PromiseLike<History>, AsyncIterable<FitStep> {
  readonly #steps: AsyncGenerator<FitStep, History>;
  readonly #done: Promise<History>;
  readonly #called: string;
  #begun = false;
  #settle!: { resolve(history: History): void; reject(error: unknown): void };

  /**
   * @param history filled by the steps, so that it is right wherever a loop leaves them
   * @param called the stack of the call that began it, which errors carry
   */
  constructor(
    readonly history: History,
    steps: AsyncGenerator<FitStep, History>,
    called = "",
  ) {
    this.#called = called;
    this.#steps = steps;
    this.#done = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    queueMicrotask(() => {
      if (!this.#begun) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#begun = true;
    try {
      while (!(await this.#next()).done);
    } catch {
      // the promise has it
    }
  }

  /** One step; settles the promise at the end. */
  async #next(): Promise<IteratorResult<FitStep, History>> {
    try {
      const next = await this.#steps.next();
      if (next.done) this.#settle.resolve(next.value);
      return next;
    } catch (error) {
      if (error instanceof Error && this.#called !== "") error.stack += `\n${this.#called}`;
      this.#settle.reject(error);
      throw error;
    }
  }

  /** Progress per step. @throws {TypeError} when the run has begun already */
  [Symbol.asyncIterator](): AsyncIterator<FitStep, undefined> {
    if (this.#begun)
      throw typeError({ op: "fit", expected: "to be iterated in the turn that began it", actual: "a run under way" });
    this.#begun = true;
    this.#done.catch(() => {}); // the loop gets the error
    return {
      next: async () => {
        const next = await this.#next();
        return next.done ? { done: true, value: undefined } : next;
      },
      return: async () => {
        await this.#steps.return(this.history);
        this.#settle.resolve(this.history);
        return { done: true, value: undefined };
      },
    };
  }

  // biome-ignore lint/suspicious/noThenProperty: being awaited is its purpose
  then<A = History, B = never>(
    fulfilled?: ((history: History) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#done.then(fulfilled, rejected);
  }

  catch<B = never>(rejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<History | B> {
    return this.#done.catch(rejected);
  }

  finally(settled?: (() => void) | null): Promise<History> {
    return this.#done.finally(settled);
  }
}
