// A KV namespace on this machine: what is published into it lies in memory, and workerd asks for it over HTTP, as its binding does.
import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";

/** `{ values, namespace, listen }`: bytes by key, what `kvStore` takes, and a server on a free port, which it gives. */
export function kv() {
  const values = new Map();
  const keys = (prefix) => [...values.keys()].filter((name) => name.startsWith(prefix)).map((name) => ({ name }));
  const namespace = {
    list: async ({ prefix = "" }) => ({ keys: keys(prefix), list_complete: true }),
    get: async (key) => (values.has(key) ? new Blob([values.get(key)]).stream() : null),
    put: async (key, value) => void values.set(key, Buffer.from(value)),
    delete: async (key) => void values.delete(key),
  };

  /** A key is the path; the path alone lists. */
  const answer = async (request) => {
    const { pathname, searchParams } = new URL(request.url, "http://kv");
    const key = decodeURIComponent(pathname.slice(1));
    if (request.method === "PUT") await namespace.put(key, await buffer(request));
    else if (request.method === "DELETE") await namespace.delete(key);
    else if (key === "") return JSON.stringify(await namespace.list({ prefix: searchParams.get("prefix") ?? "" }));
    else return values.get(key);
    return "";
  };

  const listen = async () => {
    const server = createServer(async (request, response) => {
      const body = await answer(request);
      response.writeHead(body === undefined ? 404 : 200).end(body);
    });
    await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
    return server;
  };
  return { values, namespace, listen };
}
