// How many bytes all requests together may hold: none of them is too large by itself, and yet some hundred would end the process.
import { busy } from "./gate.js";

export class Budget {
  readonly most: number;
  taken = 0;

  constructor(most: number) {
    this.most = most;
  }
}

/** What one request has of it. It gives all of it back in the end. */
export class Share {
  readonly #budget: Budget;
  #bytes = 0;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /** @throws {Refusal} 503 when there are not as many left */
  take(bytes: number): void {
    const { most, taken } = this.#budget;
    if (taken + bytes > most) throw busy(`expected at most ${most} bytes of all requests at a time: try again`);
    this.#budget.taken += bytes;
    this.#bytes += bytes;
  }

  giveBack(): void {
    this.#budget.taken -= this.#bytes;
    this.#bytes = 0;
  }
}
