// Listing for what cannot list: the keys stand in a blob of their own.
import { FormatError } from "../../errors.js";
import { type Blobs, readAll } from "../store.js";

const INDEX = "index.json";
/** Bytes of an index at most: some hundred thousand versions. */
const MOST = 1 << 24;

/** The same blobs with a `list`. Two writers at once may lose a key: one place should publish. */
export function indexed(blobs: Omit<Blobs, "list">): Blobs {
  const keys = async (): Promise<string[]> => {
    const stream = await blobs.get(INDEX);
    if (!stream) return [];
    const text = new TextDecoder().decode(await readAll(stream, MOST, INDEX));
    try {
      const list: unknown = JSON.parse(text);
      if (Array.isArray(list) && list.every((key) => typeof key === "string")) return list;
    } catch (cause) {
      throw new FormatError(`${INDEX}: expected JSON`, { cause });
    }
    throw new FormatError(`${INDEX}: expected a list of keys`);
  };
  const write = (list: readonly string[]) => blobs.put(INDEX, new TextEncoder().encode(JSON.stringify(list)));
  return {
    ...blobs,
    list: async (prefix) => (await keys()).filter((key) => key.startsWith(prefix)),
    async put(key, bytes) {
      await blobs.put(key, bytes);
      const list = await keys();
      if (!list.includes(key)) await write([...list, key].sort());
    },
    async delete(key) {
      const list = await keys();
      if (list.includes(key)) await write(list.filter((other) => other !== key));
      await blobs.delete(key);
    },
  };
}
