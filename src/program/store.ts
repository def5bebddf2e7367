// What a model's programs share: kernels, memory, the regions of its states, and one workspace that all of them use in turn.
import { UnsupportedError } from "../errors.js";
import type { KernelName } from "../graph/op.js";
import type { Node, Value } from "../graph/value.js";
import { orthogonalize } from "../ops/initializer.js";
import type { StateAttrs } from "../ops/leaf.js";
import { Arena, type Region } from "../runtime/arena.js";
import { type KernelFamily, withFaster } from "../runtime/family.js";
import { instantiateKernels, type Kernels } from "../runtime/kernels.js";
import type { Crew, Threads } from "../runtime/threads/index.js";
import { sizeOf } from "../shape.js";
import { bytesOf, type Tensor, type TypedArray } from "../tensor.js";

export class Store {
  /** Those of the module that the model was made with; {@link kernel} finds the others. */
  readonly kernels: Kernels;
  readonly arena: Arena;
  /** Grows whenever a state changes from outside; programs then redo what they computed from weights once. */
  version = 0;
  workspace: Region;
  readonly #states = new Map<Node, Region>();
  readonly #rng: Region;
  /** Families that kernels may come from as well, instantiated when they are needed. */
  readonly #families = new Map<KernelFamily, Kernels | undefined>();
  readonly #threads: Threads | undefined;

  /** Threads to share calls with, where there are any. */
  readonly crew: Crew | undefined;

  constructor(module: WebAssembly.Module, threads?: Threads) {
    const memory = threads?.newMemory() ?? new WebAssembly.Memory({ initial: 1 });
    this.kernels = instantiateKernels(module, memory);
    this.arena = new Arena(memory, this.kernels.heapBase());
    this.#threads = threads;
    this.crew = threads?.newCrew(memory, this.arena, module, Object.keys(this.kernels));
    this.#rng = this.arena.allocate(12, "random numbers");
    this.workspace = this.arena.allocate(0, "workspace");
  }

  /** Lets kernels come from a family. */
  use(family: KernelFamily): void {
    if (this.#families.has(family)) return;
    for (const each of withFaster(family)) this.#families.set(each, undefined);
  }

  /** @throws {UnsupportedError} where no family in use has the kernel */
  kernel<K extends KernelName>(name: K): Kernels[K] {
    if (name in this.kernels) return this.kernels[name];
    for (const [family, made] of this.#families) {
      const kernels = made ?? this.#instantiate(family);
      if (name in kernels) return kernels[name];
    }
    throw new UnsupportedError(`no kernel ${name} among those of this model`, [name]);
  }

  #instantiate(family: KernelFamily): Kernels {
    const module = (this.#threads?.familyOf(family) ?? family).module();
    const kernels = instantiateKernels(module, this.arena.memory);
    this.#families.set(family, kernels);
    this.crew?.add(module, Object.keys(kernels));
    return kernels;
  }

  /** Makes the workspace at least so large. Its contents are lost, and programs bound to the old one bind again. */
  reserve(bytes: number): void {
    if (bytes <= this.workspace.bytes) return;
    const wider = this.arena.allocate(bytes, "workspace");
    this.arena.free(this.workspace);
    this.workspace = wider;
  }

  /** Gives a state memory; its contents are undefined. */
  add(value: Value): void {
    const { shape, dtype } = value;
    this.#states.set(value.node, this.arena.allocate(sizeOf(shape) * bytesOf(dtype), `state [${shape.join(", ")}]`));
  }

  /** Gives a state its first value; `stream` tells its random numbers from those of other states. */
  initialize(value: Value, seed: number, stream: number): void {
    const { initializer } = value.node.attrs as unknown as StateAttrs;
    this.version++;
    if (value.node.data) {
      this.view(value).set(value.node.data.data);
      return;
    }
    if (initializer.kind === "constant") {
      this.view(value).fill(initializer.value);
      return;
    }
    if (initializer.kind === "parts") {
      const part = sizeOf(value.shape) / initializer.values.length;
      initializer.values.forEach((x, i) => void this.view(value).fill(x, i * part, (i + 1) * part));
      return;
    }
    this.arena.view("int32", this.#rng.address, 3).set([seed | 0, Math.floor(seed / 2 ** 32) | 0, 0]);
    const target = [sizeOf(value.shape), this.#rng.address, this.address(value.node)] as const;
    if (initializer.kind === "uniform")
      this.kernels.f32_random_uniform(...target, initializer.low, initializer.high, stream);
    else if (initializer.kind === "normal")
      this.kernels.f32_random_normal(...target, initializer.mean, initializer.std, stream);
    else if (initializer.kind === "orthogonal") {
      this.kernels.f32_random_normal(...target, 0, 1, stream);
      orthogonalize(this.view(value), value.shape[value.shape.length - 1] ?? 1, initializer.gain);
    } else this.kernels.f32_random_truncated_normal(...target, initializer.mean, initializer.std, stream);
  }

  /** Takes a state's memory back. */
  remove(value: Value): void {
    const region = this.#states.get(value.node);
    if (region) this.arena.free(region);
    this.#states.delete(value.node);
  }

  address(node: Node): number {
    return (this.#states.get(node) as Region).address;
  }

  /** A state's numbers, as they are in memory now. */
  view(value: Value): TypedArray {
    return this.arena.view(value.dtype, this.address(value.node), sizeOf(value.shape));
  }

  read(value: Value): Tensor {
    return { data: this.view(value).slice(), shape: [...value.shape], dtype: value.dtype };
  }

  write(value: Value, data: TypedArray): void {
    this.view(value).set(data);
    this.version++;
  }
}
