// What an op is: a name, its attributes, a shape rule, a gradient rule and a lowering. Each op is defined in one place, in ../ops.
import type { Facts } from "../errors.js";
import type { KernelFamily } from "../runtime/family.js";
import type { Kernels } from "../runtime/kernels.generated.js";
import type { Shape } from "../shape.js";
import type { TypedArray } from "../tensor.js";
import { type Schema, validate } from "./attrs.js";
import type { Attrs, Node, Spec, Value } from "./value.js";

export type KernelName = keyof Kernels;

/** A kernel's argument: a plain number, or a Value that stands for the address of its memory. */
export type Argument = number | Value;

/** One loop of a copy: how many steps, and how many elements the source and the target move in one. */
export interface Loop {
  readonly size: number;
  readonly x: number;
  readonly y: number;
}

/** y[to + i . y] = x[from + i . x] for every index i of the loops, outermost first; positions and steps in elements. */
export interface Copy {
  readonly x: Value;
  readonly y: Value;
  readonly from: number;
  readonly to: number;
  readonly loops: readonly Loop[];
}

type Arguments<P extends readonly unknown[]> = { [I in keyof P]: Argument };

/** Where a lowering writes its kernel calls. */
export interface Emit {
  /** Appends one kernel call; its arguments are checked against the kernel's signature. */
  call<K extends KernelName>(kernel: K, ...args: Arguments<Parameters<Kernels[K]>>): void;
}

/** What a user feeds. */
interface Fed {
  readonly data: TypedArray;
  readonly shape: Shape;
}

/** A gradient rule's result: one entry per input, `undefined` where nothing flows. */
export type Gradients = readonly (Value | undefined)[];

/** A result, and nodes that write states in every run. */
export interface Effective {
  readonly value: Value;
  readonly effects?: readonly Value[];
}

/** An op while a model is trained: its result, and new values of states that it had as inputs. */
export interface Trained extends Effective {
  readonly updates?: readonly (readonly [input: number, next: Value])[];
}

/** The facts about one op, with its attributes typed as `A`. */
export interface OpFacts<A> {
  /** What each attribute may be; anything else in a file or a call is refused. */
  readonly attrs?: Schema<A>;
  /** The shape rule. @throws {ShapeError} when the inputs do not fit */
  infer(inputs: readonly Spec[], attrs: A): Spec | readonly Spec[];
  /** The gradient rule: upstream gradients of the results in, gradients of the inputs out. Without it nothing flows back. */
  grad?(node: Node, upstream: Gradients, attrs: A): Gradients;
  /**
   * Rewrites the op into ones nearer to the kernels, choosing algorithms by shape; `undefined` where `lower` can do it as it is.
   * `fixed` says for each input whether it depends on weights alone, so that what is made of it is made once.
   */
  expand?(inputs: readonly Value[], attrs: A, fixed?: readonly boolean[]): Value | readonly Value[] | undefined;
  /** Emits the kernel calls. */
  lower?(emit: Emit, node: Node, attrs: A): void;
  /** The copies that the op is, instead of `lower`: the planner saves those of one run of memory where it can. */
  copies?(node: Node, attrs: A): readonly Copy[];
  /** What the op is when nothing is trained: dropout is its input. */
  inference?(inputs: readonly Value[], attrs: A): Value | readonly Value[] | Effective;
  /** What the op is while a model is trained, where that differs: batch normalization uses the batch and updates its statistics. */
  training?(inputs: readonly Value[], attrs: A): Trained;
  /** A product's inputs for its result times `scale` [channels], taken into the weights: passes/fold.ts uses it. */
  scaled?(inputs: readonly Value[], scale: Value, attrs: A): readonly Value[] | undefined;
  /**
   * What a product is whose weights (its second input) this op has made, where they depend on weights alone; asked before the product's own
   * `expand`. `undefined` leaves it as it is.
   */
  multiplied?(product: Node, inputs: readonly Value[], maker: Node): Value | undefined;
  /** What an op of a layer demands of the numbers of an input where a user feeds them to it; checked before they run. */
  readonly fed?: {
    readonly input: number;
    /** @throws {RangeError} with the layer's `facts` */
    check(given: Fed, facts: Facts, inputs: readonly Value[], attrs: A): void;
  };
  /** The family of the kernels that `lower` calls, where that is not the core family: the bundle then has it where it has the op. */
  readonly family?: KernelFamily;
  /** Floating-point operations of one run. */
  flops?(node: Node, attrs: A): number;
  /** The result is the first input's memory under another shape. */
  readonly view?: boolean;
  /** The kernel may write its first result over this input when nobody else needs it. */
  readonly inPlace?: number;
  /** Input i is state that the kernel updates; result k is `writes[k]` after the update. Such nodes are effects. */
  readonly writes?: readonly number[];
  /** Made by gradient rules and expansions only; files may not name it. */
  readonly internal?: boolean;
  /** Takes an attribute `stream`: `build` gives every such node its own random numbers. */
  readonly random?: boolean;
  /** Takes a rank-1 bias as third input and clamps its result to the attributes [low, high]: passes/fuse.ts uses it. */
  readonly epilogue?: boolean;
}

/** An op as graphs hold it, its attribute type erased. */
export interface Op extends Omit<OpFacts<Attrs>, "attrs" | "infer"> {
  readonly name: string;
  /** Attributes that files leave out where they are so. */
  readonly usual: Attrs;
  check(attrs: Attrs): void;
  infer(inputs: readonly Spec[], attrs: Attrs): readonly Spec[];
}

const known = new Map<string, Op>();

/** The op that a file may name so, of those that the bundle holds. */
export const opNamed = (name: string): Op | undefined => known.get(name);

/**
 * Defines an op. Its attributes are validated by `facts.attrs` whenever a node is made, from a call or from a file. That it registers the
 * op for files is no side effect to bundlers: an op that nothing else in a bundle uses is left out, and files cannot name it there.
 */
/* @__NO_SIDE_EFFECTS__ */
export function defineOp<A extends object = Record<never, never>>(name: string, facts: OpFacts<A>): Op {
  const schema = (facts.attrs ?? {}) as Schema<Attrs>;
  const { infer, ...rest } = facts as unknown as OpFacts<Attrs>;
  const op: Op = {
    ...rest,
    name,
    usual: Object.fromEntries(
      Object.entries(schema).flatMap(([key, { usual }]) => (usual === undefined ? [] : [[key, usual]])),
    ),
    check: (attrs) => validate(name, schema, attrs),
    infer: (inputs, attrs) => {
      const specs = infer(inputs, attrs);
      return Array.isArray(specs) ? (specs as readonly Spec[]) : [specs as Spec];
    },
  };
  if (!op.internal) known.set(name, op);
  return op;
}
