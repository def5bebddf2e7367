// Tar archives for tests, written field by field.

export interface Entry {
  readonly name: string;
  readonly content?: Uint8Array | string;
  /** Default a regular file. */
  readonly type?: string;
  /** The size field's text or bytes, where it is not that of the content. */
  readonly size?: string | Uint8Array;
  readonly prefix?: string;
}

const bytesOf = (content: Uint8Array | string): Uint8Array =>
  typeof content === "string" ? new TextEncoder().encode(content) : content;

/** A header block with its checksum. */
export function header({ name, content = "", type = "0", size, prefix = "" }: Entry): Uint8Array {
  const block = new Uint8Array(512);
  const put = (value: Uint8Array | string, at: number) => block.set(bytesOf(value), at);
  put(name, 0);
  put("0000644\0", 100);
  put(size ?? `${bytesOf(content).length.toString(8).padStart(11, "0")}\0`, 124);
  put("        ", 148);
  put(type, 156);
  put("ustar\0" + "00", 257);
  put(prefix, 345);
  const sum = block.reduce((a, b) => a + b, 0);
  put(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

/** An archive of files, with its end. */
export function tar(...entries: readonly Entry[]): Uint8Array<ArrayBuffer> {
  const parts = entries.flatMap((entry) => {
    const content = bytesOf(entry.content ?? "");
    return [header(entry), content, new Uint8Array((512 - (content.length % 512)) % 512)];
  });
  return new Uint8Array(Buffer.concat([...parts, new Uint8Array(1024)]));
}

/** A pax record: its length counts itself. */
export function pax(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const size = new TextEncoder().encode(rest).length;
  let length = size;
  while (String(length).length + size !== length) length = String(length).length + size;
  return length + rest;
}
