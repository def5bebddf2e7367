// A model: a graph, its weights in a memory of its own, and the programs made for the batch sizes it has met.
import { rangeError, ShapeError, told, typeError } from "../errors.js";
import type { Quantization } from "../graph/attrs.js";
import { type Graph, make, type Value } from "../graph/value.js";
import { remake, rewrite, topological } from "../graph/walk.js";
import { DEFINED_BATCH, inputOp, isBatched, stateAttrs, withBatch } from "../ops/leaf.js";
import { inference } from "../passes/inference.js";
import type { Variant } from "../runtime/variant.js";
import { type Shape, sameShape, show, sizeOf } from "../shape.js";
import { arrayOf, type DType, dtypeOf, type Tensor, type TypedArray } from "../tensor.js";
import { type Names, nameAll } from "./names.js";
import { Plan } from "./print.js";
import { type Profile, profileProgram } from "./profile.js";
import { Program } from "./program.js";
import { Store } from "./store.js";
import { summary } from "./summary.js";

/** What goes into or comes out of a model. */
export interface TensorSpec {
  readonly name: string;
  /** Without the batch. */
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** What integers stand for, where they are quantized: real = scale (integer - zeroPoint). */
  readonly quantization?: Quantization;
  /** False for an input without a batch, whose `shape` is all of it: an array serves all samples. */
  readonly batched?: false;
}

/** Views of a model's memory for one batch size. Each getter gives a current view: do not keep it across calls of the model. */
export interface Session {
  readonly inputs: TypedArray[];
  readonly outputs: TypedArray[];
  /** Computes outputs from inputs. */
  run(): void;
}

/** How many batch sizes keep their programs. */
const PROGRAMS = 8;

export class Model {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** The graph as it was defined, for the parts of this package that transform models. */
  readonly graph: Graph;
  /** The memory and kernels, likewise. */
  readonly store: Store;
  readonly names: Names;
  /** What it computes with: `relaxed` where that was asked for and can be had. */
  readonly math: "exact" | "relaxed";
  /** What layers check of inputs that go straight into their ops. */
  readonly #checks: readonly { input: number; check: (data: TypedArray, shape: Shape) => void }[];
  readonly #programs = new Map<number, Program>();
  readonly #sessions = new Map<number, Program>();

  /** How many threads it runs on: those asked for, where they can be had and have started. */
  get threads(): number {
    return this.store.crew?.count ?? 1;
  }

  /** Made by `build`, `load` and `clone`, which give the weights their values. */
  constructor(
    readonly name: string,
    graph: Graph,
    readonly variant: Variant,
  ) {
    this.math = variant.math;
    this.graph = numberStreams(graph);
    this.names = nameAll(this.graph);
    this.store = new Store(variant.module, variant.threads);
    for (const value of this.names.states.values()) this.store.add(value);
    this.#checks = topological(this.graph.outputs).flatMap(({ op, inputs, attrs, layer }) => {
      const input = this.graph.inputs.indexOf(seen(inputs[op.fed?.input ?? -1]));
      if (!op.fed || !layer || input < 0) return [];
      const facts = { op: layer.kind, layer: this.names.layers.get(layer) };
      return { input, check: (data, shape) => op.fed?.check({ data, shape }, facts, inputs, attrs) };
    });
    this.inputs = this.graph.inputs.map((value, i) => {
      const spec = specOf(this.names.inputs[i], value);
      return isBatched(value) ? spec : { ...spec, shape: value.shape, batched: false };
    });
    this.outputs = this.graph.outputs.map((value, i) => {
      const layer = value.node.layer && this.names.layers.get(value.node.layer);
      return specOf(layer ?? (i === 0 ? "output" : `output_${i}`), value);
    });
  }

  /**
   * Computes the outputs for a batch.
   * @param x one tensor [batch, ...shape] per input (integers are converted for float32 inputs), or its bare numbers
   * @returns one tensor [batch, ...shape] per output, an array of them when there are several
   * @throws {ShapeError} when a shape does not fit; {RangeError} when the batch needs more memory than there is, or an index is outside
   *   its embedding: then nothing has run
   */
  predict(x: Tensor | TypedArray | readonly (Tensor | TypedArray)[]): Tensor | Tensor[] {
    const feeds = this.feeds(x, "predict");
    const batch = this.batchOf(feeds);
    const results = batch === 0 ? this.#nothing() : this.#compute(batch, feeds);
    return results.length === 1 ? results[0] : results;
  }

  /** Checks what a user feeds, and gives every array its full shape. */
  feeds(x: Tensor | TypedArray | readonly (Tensor | TypedArray)[], op: string): Tensor[] {
    const list = Array.isArray(x) ? (x as readonly (Tensor | TypedArray)[]) : [x as Tensor | TypedArray];
    if (list.length !== this.inputs.length) {
      const expected = `${this.inputs.length} inputs (${this.inputs.map((spec) => `"${spec.name}"`).join(", ")})`;
      throw typeError({ op, expected, actual: String(list.length) });
    }
    const feeds = list.map((each, i) => asFeed(each, this.inputs[i], op));
    const batch = this.batchOf(feeds);
    const other = feeds.findIndex((feed, i) => this.inputs[i].batched !== false && feed.shape[0] !== batch);
    if (other >= 0) {
      const actual = `${batch} and ${feeds[other].shape[0]}`;
      throw new ShapeError({ op, layer: this.inputs[other].name, expected: "one batch size for all inputs", actual });
    }
    for (const { input, check } of this.#checks) check(feeds[input].data, feeds[input].shape);
    return feeds;
  }

  /** How many samples it is that a user feeds. */
  batchOf(feeds: readonly Tensor[]): number {
    return feeds.find((_, i) => this.inputs[i].batched !== false)?.shape[0] ?? DEFINED_BATCH;
  }

  /** The graph with another batch size; shapes are inferred anew. */
  atBatch(batch: number): Graph {
    if (batch === DEFINED_BATCH) return this.graph;
    return rewrite(this.graph, (node, inputs) => {
      return node.op === inputOp ? [withBatch(node.outputs[0], batch)] : remake(node, inputs);
    });
  }

  /** The program that computes the outputs for a batch size. */
  program(batch: number): Program {
    const known = this.#programs.get(batch);
    const program = known ?? new Program(this.store, inference(this.atBatch(batch)));
    this.#programs.delete(batch);
    this.#programs.set(batch, program);
    if (this.#programs.size > PROGRAMS) {
      const [oldest, stale] = this.#programs.entries().next().value as [number, Program];
      stale.free();
      this.#programs.delete(oldest);
    }
    return program;
  }

  #compute(batch: number, feeds: readonly Tensor[]): Tensor[] {
    const program = this.program(batch);
    const { inputs, outputs } = program.layout.graph;
    program.bind();
    feeds.forEach((feed, i) => {
      program.view(inputs[i]).set(feed.data);
    });
    program.run();
    return outputs.map((value) => ({ data: program.view(value).slice(), shape: [...value.shape], dtype: value.dtype }));
  }

  /**
   * Predicts a batch several times and tells where the time goes: milliseconds, GFLOP/s and share of every kernel call.
   * @param x as for {@link predict}, at least one sample
   * @param options.runs default 20
   * @returns its `rows`, the slowest first; `String(profile)` is a table
   */
  profile(x: Tensor | TypedArray | readonly (Tensor | TypedArray)[], { runs = 20 }: { runs?: number } = {}): Profile {
    checkCount(runs, "runs", "profile");
    const feeds = this.feeds(x, "profile");
    const batch = this.batchOf(feeds);
    checkCount(batch, "a batch", "profile");
    const program = this.program(batch);
    program.bind();
    feeds.forEach((feed, i) => {
      program.view(program.layout.graph.inputs[i]).set(feed.data);
    });
    return profileProgram(program, this.names, runs);
  }

  #nothing(): Tensor[] {
    const { outputs } = this.atBatch(1);
    return outputs.map(({ shape, dtype }) => ({ data: new (arrayOf(dtype))(0), shape: [0, ...shape.slice(1)], dtype }));
  }

  /**
   * Zero-copy access for one batch size: write `inputs`, `run()`, read `outputs`. One session a batch size, kept as long as the model.
   * @param batch default 1
   * @throws {RangeError} when `batch` is no positive integer, or needs more memory than there is
   */
  session(batch = 1): Session {
    checkCount(batch, "a batch", "session");
    const program =
      this.#sessions.get(batch) ?? new Program(this.store, inference(this.atBatch(batch)), { exclusive: true });
    this.#sessions.set(batch, program);
    const { graph } = program.layout;
    program.bind();
    return {
      get inputs() {
        return graph.inputs.map((value) => program.view(value));
      },
      get outputs() {
        return graph.outputs.map((value) => program.view(value));
      },
      run: () => {
        for (const { input, check } of this.#checks)
          check(program.view(graph.inputs[input]), graph.inputs[input].shape);
        program.run();
      },
    };
  }

  /** Copies of all weights by name, moving statistics among them. */
  weights(): Record<string, Tensor> {
    return Object.fromEntries([...this.names.states].map(([name, value]) => [name, this.store.read(value)]));
  }

  /**
   * Replaces weights by name; weights that are not named keep their values.
   * @throws {RangeError} for a name that there is not; {ShapeError} or {TypeError} for a tensor that does not fit; then nothing changed
   */
  setWeights(weights: Record<string, Tensor>): void {
    if (typeof weights !== "object" || weights === null)
      throw typeError({ op: "setWeights", expected: "tensors by the names of weights", actual: told(weights) });
    const writes = Object.entries(weights).map(([name, given]): [Value, TypedArray] => {
      const value = this.names.states.get(name);
      if (value === undefined) {
        const expected = `a weight of ${[...this.names.states.keys()].join(", ")}`;
        throw rangeError({ op: "setWeights", expected, actual: `"${name}"` });
      }
      if (!ArrayBuffer.isView(given?.data) || !Array.isArray(given.shape))
        throw typeError({ op: "setWeights", layer: name, expected: "a tensor", actual: told(given) });
      if (!sameShape(given.shape, value.shape)) {
        throw new ShapeError({ op: "setWeights", layer: name, expected: show(value.shape), actual: show(given.shape) });
      }
      if (given.dtype !== value.dtype || dtypeOf(given.data, "setWeights") !== value.dtype) {
        throw typeError({ op: "setWeights", layer: name, expected: value.dtype, actual: given.dtype });
      }
      if (given.data.length !== sizeOf(value.shape)) {
        throw new ShapeError({
          op: "setWeights",
          layer: name,
          expected: `${sizeOf(value.shape)} numbers`,
          actual: String(given.data.length),
        });
      }
      return [value, given.data];
    });
    for (const [value, data] of writes) this.store.write(value, data);
  }

  /** A table of layers, output shapes and parameter counts, as Keras prints it. */
  summary(): string {
    return summary(this);
  }

  /** What runs for a batch, and where: `String(plan)` lists the kernel calls and the memory map. @param batch default 1 */
  plan(batch = 1): Plan {
    checkCount(batch, "a batch", "plan");
    return new Plan(this.program(batch), this.store, this.names, `${this.name}, batch ${batch}`);
  }

  /** Draws all weights anew by their initializers. @param seed an integer in [0, 2^53) */
  initialize(seed: number): void {
    if (!(Number.isSafeInteger(seed) && seed >= 0))
      throw rangeError({ op: "initialize", expected: "seed to be an integer in [0, 2^53)", actual: told(seed) });
    let stream = 0;
    for (const value of this.names.states.values()) this.store.initialize(value, seed, stream++);
  }

  /** Whether a prediction depends on those before it: it has layers that carry state, until `resetState`. */
  get isStateful(): boolean {
    return [...this.names.states.values()].some((value) => stateAttrs(value).carried);
  }

  /**
   * Makes what stateful layers carry from one `predict` to the next what it was at first, zeros: the next sequences begin anew. A model
   * without such layers has nothing to reset.
   */
  resetState(): void {
    for (const value of this.names.states.values()) if (stateAttrs(value).carried) this.store.initialize(value, 0, 0);
  }

  /** A model of its own with the same graph and weights. */
  clone(): Model {
    const copy = new Model(this.name, this.graph, this.variant);
    copy.setWeights(this.weights());
    return copy;
  }

  /** States that training changes. */
  get trainable(): Value[] {
    return [...this.names.states.values()].filter((value) => stateAttrs(value).trainable);
  }
}

function specOf(name: string, { shape, dtype, node: { attrs } }: Value): TensorSpec {
  const { quantization } = attrs as { readonly quantization?: Quantization };
  return { name, shape: shape.slice(1), dtype, ...(quantization && { quantization }) };
}

function checkCount(count: number, what: string, op: string): void {
  if (Number.isSafeInteger(count) && count >= 1) return;
  throw rangeError({ op, expected: `${what} of at least 1`, actual: String(count) });
}

/** What a value is a view of. */
const seen = (value: Value): Value => (value?.node.op.view ? seen(value.node.inputs[0]) : value);

function asFeed(x: Tensor | TypedArray, spec: TensorSpec, op: string): Tensor {
  const layer = spec.name;
  const each = sizeOf(spec.shape);
  if (!ArrayBuffer.isView(x) && !(ArrayBuffer.isView(x?.data) && Array.isArray(x.shape)))
    throw typeError({ op, layer, expected: "a tensor or a typed array", actual: told(x) });
  const data = ArrayBuffer.isView(x) ? x : x.data;
  const dtype = ArrayBuffer.isView(x) ? dtypeOf(x, op) : (x?.dtype ?? dtypeOf(data, op));
  if (dtypeOf(data, op) === "float32" && spec.dtype !== "float32")
    throw typeError({ op, layer, expected: spec.dtype, actual: dtype });
  if (spec.dtype !== "float32" && dtype !== spec.dtype)
    throw typeError({ op, layer, expected: spec.dtype, actual: dtype });
  const whole = spec.batched === false;
  if (ArrayBuffer.isView(x) && whole && data.length === each) return { data, shape: spec.shape, dtype };
  if (ArrayBuffer.isView(x) && !whole) {
    const batch = each === 0 ? 0 : data.length / each;
    if (!Number.isInteger(batch)) {
      throw new ShapeError({
        op,
        layer,
        expected: `a multiple of ${each} numbers for ${show(["batch" as never, ...spec.shape])}`,
        actual: String(data.length),
      });
    }
    return { data, shape: [batch, ...spec.shape], dtype };
  }
  const shape = ArrayBuffer.isView(x) ? [data.length] : x.shape;
  const fits = whole
    ? sameShape(shape, spec.shape)
    : sameShape(shape.slice(1), spec.shape) && shape.length === spec.shape.length + 1;
  if (!fits) {
    const expected = show(whole ? spec.shape : ["batch" as never, ...spec.shape]);
    throw new ShapeError({ op, layer, expected, actual: show(shape) });
  }
  if (data.length !== sizeOf(shape)) {
    const expected = `${sizeOf(shape)} numbers for ${show(shape)}`;
    throw new ShapeError({ op, layer, expected, actual: String(data.length) });
  }
  return { data, shape, dtype };
}

/** Gives every random node its own stream, so that two dropout layers draw different masks. */
function numberStreams(graph: Graph): Graph {
  if (!topological(graph.outputs).some((node) => node.op.random)) return graph;
  let stream = 0;
  return rewrite(graph, (node, inputs) =>
    node.op.random ? make(node.op, inputs, { ...node.attrs, stream: stream++ }).outputs : remake(node, inputs),
  );
}
