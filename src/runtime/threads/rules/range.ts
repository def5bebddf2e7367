// What a rule is: which argument of a kernel call counts the units of it, and what the others move by from one unit to the next.
// `f32_relu(n, x, y)` has n units, and x and y move by 4 bytes. Arguments are numbered from 0; `a` are those of the call. The files beside
// this one have the rules, a family of kernels each.

/** A kernel call that does part of another one. */
export interface Part {
  readonly kernel: string;
  readonly args: readonly number[];
  readonly scratch?: Scratch;
}

/** An argument that is the address of memory that only one thread at a time may use. */
export interface Scratch {
  readonly argument: number;
  readonly bytes: number;
}

export interface Range {
  /** The argument that counts the units, or is the end of them where there is a `from`. */
  readonly count: number;
  readonly from?: number;
  /** `[argument, what is added to it from one unit to the next]`. */
  readonly moves: readonly (readonly [argument: number, step: number])[];
  /** What a unit costs, about, in nanoseconds: decides whether dividing pays. */
  readonly cost: number;
  /** Parts are multiples of so many units, or their results would not be those of the whole; default 1. */
  readonly multiple?: number;
  /** The same where it only saves time. */
  readonly preferred?: number;
  /** Most parts for each thread; default 4. Fewer where parts repeat some work. */
  readonly perThread?: number;
  readonly scratch?: Scratch;
  /** How to divide a single unit, where there are few of them. */
  readonly inner?: Rule;
  /** Another kernel's call that does the same, and that this range is about. */
  readonly as?: Part;
}

export type Rule = (a: readonly number[]) => Range | undefined;

/** By the name of the kernel. */
export type Rules = Readonly<Record<string, Rule>>;

/** About what a multiplication and its addition take, and reading or writing four bytes. */
export const MADD = 0.05;
export const WORD = 0.1;

/** What an element takes, in an easy function and a costly one. */
export const CHEAP: number = 2 * WORD;
export const COSTLY: number = 10 * WORD;

/** (n, pointers, ...): n elements, each pointer so many bytes further for each of them; 64 keep the parts' outputs in cache lines apart. */
export const each =
  (cost: number, ...bytes: number[]): Rule =>
  (a) => ({
    count: 0,
    cost,
    preferred: 64,
    moves: bytes.map((step, i) => [i + 1, a[i + 1] === 0 ? 0 : step] as const), // a pointer of 0 stands for none
  });
