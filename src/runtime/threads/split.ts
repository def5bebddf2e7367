// Divides a kernel call into parts for several threads, by the rule that rules/ has for its kernel. Only outputs are divided, never a sum,
// so that no bit depends on the number of threads. A kernel without a rule runs on the calling thread.
import { MAX_PARTS } from "./control.js";
import { type Part, type Range, rules } from "./rules/index.js";

/** What a part should take at least, in nanoseconds: handing one over takes some hundreds, waking a sleeping worker tens of thousands. */
const LEAST = 10_000;
/** Parts for each thread: more of them even out what threads lose to others on the machine. */
const PER_THREAD = 4;

/**
 * A call as parts whose results together are the call's, bit for bit.
 * @param least nanoseconds that a part should take; 0 cuts as finely as the results allow
 * @returns undefined where the call has no rule, or is too small
 */
export function divide(
  kernel: string,
  args: readonly number[],
  threads: number,
  least = LEAST,
): readonly Part[] | undefined {
  const range = Object.hasOwn(rules, kernel) ? rules[kernel](args) : undefined;
  if (range === undefined) return undefined;
  const whole = range.as ?? { kernel, args };
  const most = least > 0 ? Math.floor((units(whole, range) * range.cost) / least) : MAX_PARTS;
  const parts = cut(whole, range, threads, Math.min(PER_THREAD * threads, MAX_PARTS / 4, most), least > 0);
  return parts.length > 1 && parts.length <= MAX_PARTS ? parts : undefined;
}

const units = ({ args }: Part, { count, from }: Range): number => args[count] - (from === undefined ? 0 : args[from]);

function cut(whole: Part, range: Range, threads: number, most: number, coarse: boolean): Part[] {
  const { inner } = range;
  const multiple = Math.max(range.multiple ?? 1, (coarse && range.preferred) || 1);
  const blocks = Math.ceil(units(whole, range) / multiple);
  if (most < 2 || blocks < 1) return [whole];
  // Few blocks that can be divided themselves: as many whole ones as threads share evenly, and the others in pieces.
  const even = inner && blocks < 2 * threads ? blocks - (blocks % threads) : blocks;
  const limit = Math.min(most, even, threads * (range.perThread ?? PER_THREAD));
  const parts = limit > threads ? limit - (limit % threads) : limit; // as many for each thread
  const cuts = Array.from({ length: parts + 1 }, (_, i) => Math.floor((i * even) / parts));
  const list = cuts.slice(1).map((end, i) => slice(whole, range, cuts[i] * multiple, end * multiple));
  for (let block = even; block < blocks; block++) {
    const single = slice(whole, range, block * multiple, (block + 1) * multiple);
    const finer = inner?.(single.args);
    list.push(...(finer ? cut(single, finer, threads, Math.ceil(most / (blocks - even)), coarse) : [single]));
  }
  return list;
}

/** The part of a call from one unit to another. */
function slice(whole: Part, range: Range, start: number, end: number): Part {
  const { count, from, moves, scratch } = range;
  const args = [...whole.args];
  const stop = Math.min(end, units(whole, range));
  for (const [argument, step] of moves) args[argument] += start * step;
  if (from === undefined) args[count] = stop - start;
  else {
    args[count] = args[from] + stop;
    args[from] += start;
  }
  return { kernel: whole.kernel, args, scratch };
}
