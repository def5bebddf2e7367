// What a file keeps from one run to the next: resource variables, and the variable tensors of its recurrent operators. Each is a carried
// state of the model. While operators are applied in the order of the file, a variable stands for the value that was last assigned; what
// it stands for after the last of them is what the state becomes.
import { FormatError, UnsupportedError } from "../../errors.js";
import type { LayerInfo, Spec, Value } from "../../graph/value.js";
import { topological } from "../../graph/walk.js";
import { carry } from "../../ops/carry.js";
import type { Initializer } from "../../ops/initializer.js";
import { constantOp, isState, state } from "../../ops/leaf.js";
import { stridedSlice } from "../../ops/slice.js";
import { build } from "../../program/build.js";
import { sameShape, show, sizeOf } from "../../shape.js";
import type { Tensor } from "../../tensor.js";

/** How a state is made when it is first met. */
export interface Kept extends Spec {
  /** Its own name, within the layer where it has one. */
  readonly name: string;
  readonly layer?: LayerInfo;
  /** The number that it begins with where no graph of the file says so: 0, or a zero point. */
  readonly zero: number;
}

/** Elements that the graphs which initialize variables may make: more are refused before anything runs. */
const MAX_INITIAL = 2 ** 24;
/** Numbers that an initializer holds. */
const MAX_PARTS = 2 ** 16;

export class Variable {
  #state: Value | undefined;
  #current: Value | undefined;
  #initial: Tensor | undefined;

  /** @param title what errors call it */
  constructor(readonly title: string) {}

  /** What it stands for now; a state that begins as `kept` says where nothing has been assigned. */
  read(kept: Kept): Value {
    this.#current ??= this.#begin(kept);
    if (this.#current.dtype !== kept.dtype || !sameShape(this.#current.shape, kept.shape))
      throw this.#other(kept, this.#current);
    return this.#current;
  }

  /** From here on it stands for that value. */
  assign(value: Value, kept: Omit<Kept, "shape" | "dtype">): void {
    this.#state ??= this.#begin({ ...kept, shape: value.shape, dtype: value.dtype });
    // An operator's own state may be of more sequences than there are.
    const rows = kept.layer ? this.#state.shape.slice(1) : [];
    const isPart =
      kept.layer !== undefined && sameShape(value.shape.slice(1), rows) && value.shape[0] <= this.#state.shape[0];
    if (!isPart || value.dtype !== this.#state.dtype) this.#check(value, this.#state);
    this.#current = value;
  }

  /** The same before the first run: what it begins with. */
  initialize(value: Value): void {
    if (this.#state) throw new FormatError(`tflite: ${this.title}: expected it to be initialized before it is used`);
    this.#current = value;
  }

  /** What a graph that initializes it has assigned. */
  get initial(): Value {
    if (this.#current === undefined) throw new FormatError(`tflite: ${this.title}: expected a value, got none so far`);
    return this.#current;
  }

  get isInitialized(): boolean {
    return this.#current !== undefined;
  }

  /** The numbers of what was assigned; the first run begins with them. */
  settle(numbers: Tensor): void {
    this.#initial = numbers;
    this.#current = undefined;
  }

  /** `y`, which carries the state along, where a run changes it. */
  carried(y: Value): Value {
    const [kept, next] = [this.#state, this.#current];
    return kept === undefined || next === undefined || source(next) === kept ? y : carry(y, kept, apart(next));
  }

  #begin(kept: Kept): Value {
    const { name, layer, shape, dtype, zero } = kept;
    if (this.#initial) this.#check(kept, this.#initial);
    const first: Initializer = this.#initial
      ? initializerOf(this.#initial, this.title)
      : { kind: "constant", value: zero };
    this.#state = state(name, shape, first, false, dtype, undefined, true);
    if (layer) this.#state.node.layer = layer;
    return this.#state;
  }

  #check(given: Spec, known: Spec): void {
    if (given.dtype !== known.dtype || !sameShape(given.shape, known.shape)) throw this.#other(given, known);
  }

  #other(given: Spec, known: Spec): FormatError {
    const [a, b] = [known, given].map(({ dtype, shape }) => `${dtype} ${show(shape)}`);
    return new FormatError(`tflite: ${this.title}: expected ${a}, got ${b}`);
  }
}

/** All of a file. */
export class Variables {
  readonly #known = new Map<string, Variable>();

  /** @param id what tells it from others */
  named(id: string, title: string): Variable {
    const variable = this.#known.get(id) ?? new Variable(title);
    this.#known.set(id, variable);
    return variable;
  }

  /** Computes what graphs have assigned before the first run. */
  async settle(): Promise<void> {
    const given = [...this.#known.values()].filter(({ isInitialized }) => isInitialized);
    const values = given.map(({ initial }) => initial);
    const numbers = await compute(values);
    given.forEach((variable, i) => void variable.settle(numbers[i]));
  }

  /** The outputs of the model, the first of which carries all states that a run changes; none of them is a state itself. */
  carried(outputs: readonly Value[]): Value[] {
    const [first, ...others] = outputs.map(apart);
    return [[...this.#known.values()].reduce((y, variable) => variable.carried(y), first), ...others];
  }
}

const source = (value: Value): Value => (value.node.op.view ? source(value.node.inputs[0]) : value);

/** The same numbers elsewhere, where they are those of a state: it changes at the end of a run, and may be read after that. */
const apart = (value: Value): Value => (isState(source(value)) ? stridedSlice(value, [], []) : value);

/** An initializer of given numbers, in as few parts as make them up. */
function initializerOf({ data, shape }: Tensor, title: string): Initializer {
  let part = sizeOf(shape);
  data.forEach((x, i) => {
    if (i > 0 && x !== data[i - 1]) part = commonDivisor(part, i);
  });
  const values = Array.from({ length: part === 0 ? 1 : data.length / part }, (_, i) => data[i * part] ?? 0);
  if (values.length > MAX_PARTS || !values.every(Number.isFinite)) {
    const expected = `finite numbers to begin with, at most ${MAX_PARTS} of them`;
    throw new UnsupportedError(`fromTflite: ${title}: expected ${expected}`, [title]);
  }
  return values.length === 1 ? { kind: "constant", value: values[0] } : { kind: "parts", values };
}

const commonDivisor = (a: number, b: number): number => (b === 0 ? a : commonDivisor(b, a % b));

/** The numbers of values that depend on constants only. */
async function compute(values: readonly Value[]): Promise<readonly Tensor[]> {
  const made = values.filter(({ node }) => node.op !== constantOp);
  const nodes = topological(made);
  if (nodes.some(({ op, inputs }) => inputs.length === 0 && op !== constantOp))
    throw new FormatError("tflite: expected variables to begin with what is made of constants");
  const total = nodes.reduce((sum, { outputs }) => outputs.reduce((all, { shape }) => all + sizeOf(shape), sum), 0);
  if (total > MAX_INITIAL)
    throw new FormatError(`tflite: expected variables to begin with at most ${MAX_INITIAL} numbers, got ${total}`);
  const numbers = new Map<Value, Tensor>();
  if (made.length > 0) {
    const program = (await build([], made)).program(1);
    program.run();
    program.layout.graph.outputs.forEach((value, i) => {
      numbers.set(made[i], { data: program.view(value).slice(), shape: value.shape, dtype: value.dtype });
    });
  }
  return values.map((value) => numbers.get(value) ?? (value.node.data as Tensor));
}
