// Connectionist temporal classification (Graves and others 2006): how likely steps spell a sequence of labels, blanks between them allowed.
// Logarithms throughout, relative to the largest of each step, so that nothing is too small however long the sequence.

import { f32_exp, f32_log } from "./activation";

/** The logarithm of what cannot be. */
const NEVER: f32 = -1e30;

/**
 * loss [batch] = -log of the probability of labels [batch, most] (i32, those after the last are 0, the blank) under logs [batch, steps,
 * classes], logarithms of probabilities; occupied [batch, steps, classes] = the share of that probability in which a step says a class:
 * minus the gradient to logs. lengths [batch] (i32): how many steps count, 0 for all. scratch [batch, (steps + 5) (2 most + 1)]. Sums in
 * the order of states, blank, first label, blank and so on, those of a step in the same, over steps in f64.
 */
export function f32_ctc(
  batch: u32, steps: u32, classes: u32, most: u32, logs: usize, labels: usize, lengths: usize,
  loss: usize, occupied: usize, scratch: usize,
): void {
  const all = <usize>(steps * classes) << 2, own = <usize>((steps + 5) * (2 * most + 1)) << 2;
  memory.fill(occupied, 0, all * <usize>batch);
  for (; batch > 0; batch--, logs += all, occupied += all, labels += <usize>most << 2, loss += 4, scratch += own) {
    let count: u32 = 0;
    while (count < most && i32.load(labels + (<usize>count << 2))) count++;
    const length = lengths ? min<u32>(i32.load(lengths), steps) : steps;
    f32.store(loss, length ? sequence(length, classes, count, logs, labels, occupied, scratch) : count ? Infinity : 0);
    if (lengths) lengths += 4;
  }
}

function sequence(
  steps: u32, classes: u32, count: u32, logs: usize, labels: usize, occupied: usize, scratch: usize,
): f32 {
  const n: u32 = 2 * count + 1, row = <usize>n << 2, step = <usize>classes << 2;
  const spare = scratch + <usize>steps * row, last = steps - 1;
  let total: f64 = 0, alpha = scratch;
  for (let s: u32 = 0; s < n; s++) f32.store(alpha + (<usize>s << 2), s < 2 ? 0 : NEVER);
  for (let t: u32 = 0; t < steps; t++, alpha += row) {
    if (t) reach(n, alpha - row, alpha, labels, spare, 0, 4);
    say(n, alpha, logs + <usize>t * step, labels);
    total += settle(n, alpha);
  }
  // The last label and the blank after it.
  alpha -= row;
  const end = f32.load(alpha + row - 4), before = n > 1 ? f32.load(alpha + row - 8) : NEVER;
  const most = max<f32>(end, before);
  f32.store(spare, end - most);
  f32.store(spare + 4, before - most);
  f32_exp(2, spare, spare);
  f32.store(spare, f32.load(spare) + f32.load(spare, 4));
  f32_log(1, spare, spare);
  total += most + f32.load(spare);

  // Back from the end: what follows a state, in the place of `spare` after what `reach` needs.
  const beta = spare + 3 * row, next = beta + row;
  for (let s: u32 = 0; s < n; s++) f32.store(beta + (<usize>s << 2), s + 2 < n ? NEVER : 0);
  for (let t = last; ; t--, alpha -= row) {
    occupy(n, alpha, beta, labels, occupied + <usize>t * step);
    if (!t) break;
    say(n, beta, logs + <usize>t * step, labels);
    memory.copy(next, beta, row);
    reach(n, next, beta, labels, spare, row - 4, <usize>-4);
    settle(n, beta);
  }
  const result = -<f32>total;
  return result > 1e29 ? Infinity : result;
}

/** The label of a state, 0 for blanks. */
// @ts-ignore: decorator
@inline
function labelOf(labels: usize, state: u32): u32 {
  return state & 1 ? i32.load(labels + (<usize>(state >> 1) << 2)) : 0;
}

/**
 * y [n] = log of the sum over the states that lead to each: itself, the one before it, and the one before that where both are labels that
 * differ. From the state at `first` on, `step` bytes from one to the next: backwards for what follows. d [3 n] is for this alone.
 */
function reach(n: u32, x: usize, y: usize, labels: usize, d: usize, first: usize, step: usize): void {
  const row = <usize>n << 2;
  for (let i: u32 = 0; i < n; i++) {
    const at = first + <usize>i * step, p = x + at;
    const a = f32.load(p), b = i ? f32.load(p - step) : NEVER;
    let c = NEVER;
    if (i >= 3 && i & 1 && labelOf(labels, <u32>at >> 2) != labelOf(labels, <u32>(at - 2 * step) >> 2)) {
      c = f32.load(p - 2 * step);
    }
    const most = max<f32>(max<f32>(a, b), c), q = d + at;
    f32.store(q, a - most);
    f32.store(q + row, b - most);
    f32.store(q + 2 * row, c - most);
    f32.store(y + at, most);
  }
  f32_exp(3 * n, d, d);
  for (let q = d, end = d + row; q < end; q += 4) {
    f32.store(q, f32.load(q) + f32.load(q + row) + f32.load(q + 2 * row));
  }
  f32_log(n, d, d);
  for (let at: usize = 0; at < row; at += 4) f32.store(y + at, f32.load(y + at) + f32.load(d + at));
}

/** x [n] += the logarithm of what each state says in a step. */
function say(n: u32, x: usize, logs: usize, labels: usize): void {
  for (let s: u32 = 0; s < n; s++, x += 4) {
    f32.store(x, f32.load(x) + f32.load(logs + (<usize>labelOf(labels, s) << 2)));
  }
}

/** x [n] less its largest, which is the result. */
function settle(n: u32, x: usize): f32 {
  const end = x + (<usize>n << 2);
  let most = f32.load(x);
  for (let p = x + 4; p < end; p += 4) most = max<f32>(most, f32.load(p));
  for (let p = x; p < end; p += 4) f32.store(p, f32.load(p) - most);
  return most;
}

/** Adds the share of each state in a step to its label's; `alpha` is overwritten. */
function occupy(n: u32, alpha: usize, beta: usize, labels: usize, occupied: usize): void {
  const row = <usize>n << 2;
  for (let at: usize = 0; at < row; at += 4) f32.store(alpha + at, f32.load(alpha + at) + f32.load(beta + at));
  settle(n, alpha);
  f32_exp(n, alpha, alpha);
  let sum: f32 = 0;
  for (let at: usize = 0; at < row; at += 4) sum += f32.load(alpha + at);
  for (let s: u32 = 0; s < n; s++, alpha += 4) {
    const p = occupied + (<usize>labelOf(labels, s) << 2);
    f32.store(p, f32.load(p) + f32.load(alpha) / sum);
  }
}
