// The workers of this process, and running a divided call on them. They serve all models; when more threads are asked for or models have
// been dropped, new ones take their place, so that no worker holds on to a memory that nobody uses.

import {
  type Control,
  controlOf,
  DONE,
  HANDLED,
  MAIL,
  newControl,
  REST,
  SIGNAL,
  SLEEPERS,
  spin,
  take,
  WAITING,
} from "./control.js";
import { newWorker, type Thread } from "./platform.js";
import type { Message } from "./worker.js";

/** How long to look for the last parts before sleeping, where the thread may sleep. */
const SPIN_MS = 0.2;
/**
 * Waiting so much longer for the others' parts than doing them would have taken means that a worker lost its core to another process in
 * the middle of one: the calling thread then works alone for so many times as long.
 */
const STALL_MS = 0.1;
const ALONE = 30;

export class Workers {
  readonly #buffer = newControl();
  readonly #control: Control = controlOf(this.#buffer);
  readonly #threads: readonly Thread[];
  readonly #maySleep: boolean;
  /** Those who wait until every worker has handled so many messages. */
  #expecting: { mail: number; done(): void }[] = [];
  #sent = 0;
  /** Until when the calling thread works alone. */
  #alone = 0;
  #failed = false;

  /** @param size threads, the calling one among them */
  constructor(readonly size: number) {
    this.#maySleep = maySleep(this.#control.ints);
    this.#threads = Array.from({ length: size - 1 }, () =>
      newWorker(
        () => this.#settle(),
        () => this.#fail(),
      ),
    );
  }

  /** Makes a model known to every worker; what it returns is what `knows` asks about. */
  send(message: Omit<Message, "thread" | "control">): number {
    const mail = ++this.#sent;
    Atomics.store(this.#control.ints, MAIL, mail);
    this.#threads.forEach((thread, i) => {
      thread.post({ ...message, thread: i + 1, control: this.#buffer });
    });
    this.#wake();
    return mail;
  }

  /** Whether every worker has handled that message. */
  knows(mail: number): boolean {
    if (this.#failed) return false;
    return this.#threads.every((_, i) => Atomics.load(this.#control.ints, HANDLED + i + 1) >= mail);
  }

  /** Resolves when every worker has handled that message, or none ever will. Keeps the process alive until then. */
  whenKnown(mail: number): Promise<void> {
    return new Promise((done) => {
      this.#expecting.push({ mail, done });
      for (const thread of this.#threads) thread.hold(true);
      this.#settle();
    });
  }

  /** Runs the parts of a job, one by one as threads are free; the calling thread, which is 0, does its share. `whole` is all of them. */
  run(job: Float64Array, word: number, own: readonly (() => void)[], whole: () => void): void {
    const { ints } = this.#control;
    const start = performance.now();
    if (start < this.#alone) {
      whole();
      return;
    }
    this.#control.job.set(job);
    Atomics.store(ints, DONE, 0);
    Atomics.store(ints, REST, word);
    this.#wake();
    let mine = 0;
    for (let part = take(ints, 0); part >= 0; part = take(ints, 0)) {
      own[part]();
      mine++;
    }
    const theirs = own.length - mine;
    if (Atomics.load(ints, DONE) === theirs) return;
    const waits = performance.now();
    this.#await(theirs);
    const waited = performance.now() - waits;
    // What the others did was worth less than the wait for it.
    if (mine > 0 && waited > STALL_MS + (theirs * (waits - start)) / mine) this.#alone = waits + ALONE * waited;
  }

  end(): void {
    Atomics.store(this.#control.ints, MAIL, -1);
    this.#wake();
    for (const thread of this.#threads) thread.end();
    this.#fail();
  }

  #wake(): void {
    const { ints } = this.#control;
    if (Atomics.load(ints, SLEEPERS) === 0) return;
    Atomics.add(ints, SIGNAL, 1);
    Atomics.notify(ints, SIGNAL);
  }

  #await(count: number): void {
    const { ints } = this.#control;
    const look = () => Atomics.load(ints, DONE) === count;
    while (!spin(SPIN_MS, look)) {
      if (!this.#maySleep) continue;
      Atomics.store(ints, WAITING, 1);
      for (let done = Atomics.load(ints, DONE); done !== count; done = Atomics.load(ints, DONE)) {
        Atomics.wait(ints, DONE, done);
      }
      Atomics.store(ints, WAITING, 0);
      return;
    }
  }

  #settle(): void {
    this.#expecting = this.#expecting.filter(({ mail, done }) => {
      if (!this.#failed && !this.knows(mail)) return true;
      done();
      return false;
    });
    if (this.#expecting.length === 0) for (const thread of this.#threads) thread.hold(false);
  }

  #fail(): void {
    this.#failed = true;
    this.#settle();
  }
}

/** A browser's main thread may not: waiting there throws. */
function maySleep(ints: Int32Array): boolean {
  try {
    Atomics.wait(ints, DONE, 1, 0);
    return true;
  } catch {
    return false;
  }
}
