// Memory for kernels that are called by themselves, without a model.
import { noise } from "./cnn.mjs";

/** Gives addresses of fresh random numbers, 64 bytes of room after each. */
export function allocator(memory, start) {
  let next = start;
  return (count, scale = 1) => {
    const address = (next + 63) & ~63;
    next = address + 4 * count + 64;
    const missing = Math.ceil((next - memory.buffer.byteLength) / 65536);
    if (missing > 0) memory.grow(missing);
    new Float32Array(memory.buffer, address, count).set(noise(count).map((x) => scale * x));
    return address;
  };
}
