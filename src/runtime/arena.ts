// The memory of one model: a WebAssembly.Memory and which parts of it are taken. Knows nothing of graphs.
import { rangeError } from "../errors.js";
import { arrayOf, type DType, type TypedArray } from "../tensor.js";

/** A part of the memory. */
export interface Region {
  readonly address: number;
  readonly bytes: number;
}

const PAGE = 65536;
/** What 32-bit addresses reach, less one page so that sizes stay below 2^32. */
export const MAX_BYTES = 2 ** 32 - PAGE;
const ALIGN = 64;
/** Kernels may read this far past an input. */
const OVERREAD = 64;

export const alignUp = (bytes: number): number => Math.ceil(bytes / ALIGN) * ALIGN;

/** Hands out regions of a growing memory, first fit, and takes them back. Views are made when used: growing detaches old ones. */
export class Arena {
  /** Free regions by ascending address; the last one reaches to `MAX_BYTES`. */
  #free: Region[];

  /** @param start first byte that is free: the kernels' heapBase() */
  constructor(
    readonly memory: WebAssembly.Memory,
    start: number,
  ) {
    this.#free = [{ address: alignUp(start), bytes: MAX_BYTES - alignUp(start) }];
  }

  /** Bytes of memory in use by the engine. */
  get bytes(): number {
    return this.memory.buffer.byteLength;
  }

  /**
   * A region of `bytes`, 64-byte aligned, contents undefined.
   * @throws {RangeError} when 32-bit memory or the machine cannot hold it
   */
  allocate(bytes: number, what: string): Region {
    const size = alignUp(Math.max(bytes, 1));
    const at = this.#free.findIndex((region) => region.bytes >= size);
    if (at < 0) throw tooLarge(what, bytes);
    const { address, bytes: free } = this.#free[at];
    this.#reach(address + size + OVERREAD, what, bytes);
    this.#free.splice(at, 1, ...(free > size ? [{ address: address + size, bytes: free - size }] : []));
    return { address, bytes: size };
  }

  /** Gives a region back; free neighbours become one. */
  free(region: Region): void {
    const next = this.#free.findIndex((other) => other.address > region.address);
    const at = next < 0 ? this.#free.length : next;
    this.#free.splice(at, 0, region);
    for (const i of [at, at - 1]) {
      const [low, high] = [this.#free[i], this.#free[i + 1]];
      if (low && high && low.address + low.bytes === high.address) {
        this.#free.splice(i, 2, { address: low.address, bytes: low.bytes + high.bytes });
      }
    }
  }

  /** The memory at an address as numbers. Take it when used, never keep it. */
  view(dtype: DType, address: number, length: number): TypedArray {
    return new (arrayOf(dtype))(this.memory.buffer, address, length);
  }

  #reach(end: number, what: string, bytes: number): void {
    const missing = Math.ceil((end - this.memory.buffer.byteLength) / PAGE);
    if (missing <= 0) return;
    try {
      this.memory.grow(missing);
    } catch (cause) {
      throw tooLarge(what, bytes, cause);
    }
  }
}

function tooLarge(what: string, bytes: number, cause?: unknown): RangeError {
  const mib = Math.ceil(bytes / 2 ** 20);
  return rangeError({
    op: "memory",
    expected: "a size that fits 4 GiB and this machine",
    actual: `${mib} MiB for ${what}`,
    cause,
  });
}
