// The memory that the calling thread and its workers talk through, and how a part of a call is taken. It is not a model's memory: one set
// of workers serves all models of a process. Int32 places stand in cache lines of their own; the job follows as Float64s.

/** Parts that nobody has taken, plus `TEAM` times the threads that may take them: one number, so that both are read together. */
export const REST = 0;
export const TEAM = 65536;
/** Parts that workers have done. */
export const DONE = 16;
/** Changes when there is something for workers that sleep on it. */
export const SIGNAL = 32;
export const SLEEPERS = 48;
/** Not 0 while the calling thread sleeps on DONE. */
export const WAITING = 64;
/** Messages sent to each worker; -1 when its end is near. */
export const MAIL = 80;
/** Messages that worker i has handled. */
export const HANDLED = 96;

export const MAX_THREADS = 64;
/** Most parts of a call. */
export const MAX_PARTS = 256;
/** Most arguments of a kernel. */
export const MAX_ARGS = 28;

const JOB_BYTES = 4 * (HANDLED + MAX_THREADS);
/** The job's first Float64: the model. */
export const MODEL = 0;
/** Of part i, from `PARTS + i * PART` on: kernel, scratch argument or -1, its address for worker 1, bytes from one worker's to the next's. */
export const PARTS = 8;
export const PART = 4 + MAX_ARGS;

export interface Control {
  readonly ints: Int32Array;
  readonly job: Float64Array;
}

export const newControl = (): SharedArrayBuffer => new SharedArrayBuffer(JOB_BYTES + 8 * (PARTS + MAX_PARTS * PART));

export const controlOf = (buffer: SharedArrayBuffer): Control => ({
  ints: new Int32Array(buffer, 0, JOB_BYTES / 4),
  job: new Float64Array(buffer, JOB_BYTES),
});

/**
 * Takes a part of the call at hand: its number, or -1 when none is left or `thread` is not of the team. Who has taken a part may read the
 * job until it has counted the part as done: the calling thread writes the next one only when all are.
 */
export function take(ints: Int32Array, thread: number): number {
  let word = Atomics.load(ints, REST);
  while (word % TEAM > 0 && thread < Math.floor(word / TEAM)) {
    const found = Atomics.compareExchange(ints, REST, word, word - 1);
    if (found === word) return (word % TEAM) - 1;
    word = found;
  }
  return -1;
}

/** Runs `look` until it is true or about so many milliseconds have passed; whether it was. */
export function spin(milliseconds: number, look: () => boolean): boolean {
  const { pause } = Atomics as { pause?(): void };
  const end = performance.now() + milliseconds;
  do {
    for (let i = 0; i < 64; i++) {
      if (look()) return true;
      pause?.();
    }
  } while (performance.now() < end);
  return false;
}
