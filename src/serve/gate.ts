// How many are inside, how many may be, and when nobody is any more.
import { Refusal } from "./refusal.js";

/** Counts requests under way. Those that enter must leave. */
export class Gate {
  readonly #most: number;
  #inside = 0;
  #isClosed = false;
  #onEmpty: (() => void) | undefined;

  /** @param most requests at a time */
  constructor(most = Number.POSITIVE_INFINITY) {
    this.#most = most;
  }

  /** @throws {Refusal} 503 when as many are inside as may be */
  enter(): void {
    if (this.#inside >= this.#most) throw busy(`expected at most ${this.#most} requests at a time: try again`);
    this.#inside++;
  }

  leave(): void {
    this.#inside--;
    if (this.#inside === 0) this.#onEmpty?.();
  }

  /** @throws {Refusal} 503 once the gate is closed */
  checkOpen(): void {
    if (this.#isClosed) throw busy("the server is shutting down");
  }

  /** Closed from now on; resolves when nobody is inside. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#inside === 0) return;
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
  }
}

/** What can be served later: status 503 with `Retry-After`. */
export const busy = (message: string): Refusal => new Refusal(503, message, { headers: { "retry-after": "1" } });
