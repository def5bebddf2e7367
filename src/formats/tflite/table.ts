// Flatbuffers, read with the flatbuffers library and checked: it trusts the offsets in a file, and reads zeros past its end. Every table,
// vector and number that is read here lies within the file, and the numbers read from vectors are no more than the file has bytes four
// times over, however often its offsets point at the same ones.
import { ByteBuffer } from "flatbuffers";
import { FormatError } from "../../errors.js";

/** The bytes of a file, and how much of them may still be read. */
export class Source {
  readonly #buffer: ByteBuffer;
  readonly #size: number;
  #budget: number;

  constructor(readonly bytes: Uint8Array) {
    this.#buffer = new ByteBuffer(bytes);
    this.#size = bytes.length;
    this.#budget = 4 * bytes.length;
  }

  /** @throws {FormatError} unless the file begins with that identifier */
  root(identifier: string): Table {
    this.check(0, 8);
    const found = String.fromCharCode(...this.bytes.subarray(4, 8));
    if (found !== identifier)
      throw new FormatError(`tflite: expected the identifier "${identifier}", got ${JSON.stringify(found)}`);
    return new Table(this, this.reference(0));
  }

  check(at: number, count: number): void {
    if (at >= 0 && at + count <= this.#size) return;
    throw new FormatError(`tflite: expected ${count} bytes at ${at}, beyond the ${this.#size} bytes of the file`);
  }

  spend(count: number): void {
    this.#budget -= count;
    if (this.#budget < 0)
      throw new FormatError("tflite: expected vectors of no more than the file's size; its offsets overlap");
  }

  int8(at: number): number {
    this.check(at, 1);
    return this.#buffer.readInt8(at);
  }

  uint16(at: number): number {
    this.check(at, 2);
    return this.#buffer.readUint16(at);
  }

  int32(at: number): number {
    this.check(at, 4);
    return this.#buffer.readInt32(at);
  }

  uint32(at: number): number {
    this.check(at, 4);
    return this.#buffer.readUint32(at);
  }

  float32(at: number): number {
    this.check(at, 4);
    return this.#buffer.readFloat32(at);
  }

  /** A 64-bit integer. @throws {FormatError} when a number does not hold it exactly */
  int64(at: number): number {
    this.check(at, 8);
    const value = Number(this.#buffer.readInt64(at));
    if (!Number.isSafeInteger(value)) throw new FormatError(`tflite: expected an integer below 2^53 at ${at}`);
    return value;
  }

  /** Where the offset at a position points. */
  reference(at: number): number {
    const to = at + this.uint32(at);
    this.check(to, 4);
    return to;
  }
}

/** A table: fields by their number in the schema, each with what it is where the file has none. */
export class Table {
  readonly #source: Source;
  readonly #at: number;
  readonly #fields: number;
  readonly #count: number;

  constructor(source: Source, at: number) {
    this.#source = source;
    this.#at = at;
    this.#fields = at - source.int32(at);
    const size = source.uint16(this.#fields);
    source.check(this.#fields, Math.max(4, size));
    this.#count = (size - 4) >> 1;
    source.spend(4);
  }

  #place(field: number): number {
    const offset = field < this.#count ? this.#source.uint16(this.#fields + 4 + 2 * field) : 0;
    return offset === 0 ? 0 : this.#at + offset;
  }

  has(field: number): boolean {
    return this.#place(field) > 0;
  }

  byte(field: number, missing = 0): number {
    const at = this.#place(field);
    return at === 0 ? missing : this.#source.int8(at);
  }

  int(field: number, missing = 0): number {
    const at = this.#place(field);
    return at === 0 ? missing : this.#source.int32(at);
  }

  uint(field: number): number {
    const at = this.#place(field);
    return at === 0 ? 0 : this.#source.uint32(at);
  }

  float(field: number): number {
    const at = this.#place(field);
    return at === 0 ? 0 : this.#source.float32(at);
  }

  table(field: number): Table | undefined {
    const at = this.#place(field);
    return at === 0 ? undefined : new Table(this.#source, this.#source.reference(at));
  }

  #vector(field: number, size: number): { start: number; count: number } {
    const at = this.#place(field);
    if (at === 0) return { start: 0, count: 0 };
    const start = this.#source.reference(at);
    const count = this.#source.uint32(start);
    this.#source.check(start + 4, count * size);
    return { start: start + 4, count };
  }

  #list<T>(field: number, size: number, read: (at: number) => T): T[] {
    const { start, count } = this.#vector(field, size);
    this.#source.spend(count * size);
    return Array.from({ length: count }, (_, i) => read(start + i * size));
  }

  ints(field: number): number[] {
    return this.#list(field, 4, (at) => this.#source.int32(at));
  }

  longs(field: number): number[] {
    return this.#list(field, 8, (at) => this.#source.int64(at));
  }

  floats(field: number): number[] {
    return this.#list(field, 4, (at) => this.#source.float32(at));
  }

  tables(field: number): Table[] {
    return this.#list(field, 4, (at) => new Table(this.#source, this.#source.reference(at)));
  }

  /** The file's own bytes. */
  bytes(field: number): Uint8Array {
    const { start, count } = this.#vector(field, 1);
    return this.#source.bytes.subarray(start, start + count);
  }

  text(field: number): string {
    const bytes = this.bytes(field);
    this.#source.spend(bytes.length);
    return new TextDecoder().decode(bytes);
  }
}
