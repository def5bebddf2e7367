// A module that imports its memory, as one that imports a shared memory. The kernels hold no data and no atomics, so the flags of that one
// import are all that differs between the two builds, and shipping a second file would be shipping the same code twice.

const MEMORY_KIND = 2;
const SHARED_WITH_MAXIMUM = 3;
/** 65536 pages of 64 KiB: 4 GiB. */
const MAX_PAGES = 65536;
const IMPORT_SECTION = 2;

/** The WebAssembly module's bytes with its memory import made shared. @throws when it imports anything but one memory first */
export function withSharedMemory(module: Uint8Array): Uint8Array<ArrayBuffer> {
  let at = 8; // after magic number and version
  const unsigned = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = module[at++];
      value += (byte % 128) * scale;
      if (byte < 128) return value;
    }
  };
  const skip = (): number => {
    const length = unsigned(); // before `at` is read again: reading it moves `at`
    at += length;
    return at;
  };
  while (module[at] !== IMPORT_SECTION) {
    at++;
    skip();
  }
  const section = at++;
  const size = unsigned();
  const body = at;
  unsigned(); // how many imports
  skip(); // the module's name
  skip(); // the field's name
  if (module[at++] !== MEMORY_KIND) throw new TypeError("expected kernels that import a memory");
  const flags = at++;
  unsigned(); // the initial size
  const limits = [SHARED_WITH_MAXIMUM, ...module.slice(flags + 1, at), ...leb(MAX_PAGES)];
  const imports = [...module.slice(body, flags), ...limits, ...module.slice(at, body + size)];
  const before = module.slice(0, section);
  return Uint8Array.from([...before, IMPORT_SECTION, ...leb(imports.length), ...imports, ...module.slice(body + size)]);
}

/** Seven bits a byte, lowest first, the eighth bit set on all but the last. */
function leb(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...leb(Math.floor(value / 128))];
}
