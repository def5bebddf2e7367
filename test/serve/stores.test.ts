// Stores: what is put comes back, versions swap under traffic, and what is damaged or not signed does not serve.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Blobs,
  cacheStore,
  folderStore,
  handler,
  httpStore,
  kvStore,
  type ModelStore,
  memoryStore,
  modelStore,
  openModel,
  publish,
  r2Store,
  rollback,
} from "../../src/serve/index.js";
import { memoryBlobs } from "../../src/serve/stores/memory.js";
import { ask, small, x } from "./service.js";

const folders: string[] = [];
const folder = () => {
  folders.push(mkdtempSync(join(tmpdir(), "lanewise-store-")));
  return folders.at(-1) as string;
};
afterAll(() => {
  for (const path of folders) rmSync(path, { recursive: true, force: true });
});

/** A server of blobs with ETags and ranges, which breaks off every download of more than 100 bytes half way, once. */
let server: Server;
let served: { base: string; requests: string[] };
beforeAll(async () => {
  const blobs = new Map<string, Buffer>();
  const requests: string[] = [];
  const broken = new Set<string>();
  server = createServer(async (request, response) => {
    const key = request.url as string;
    const range = /bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1];
    requests.push(`${request.method} ${key}${range ? " from there" : ""}`);
    if (request.method === "PUT") {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      blobs.set(key, Buffer.concat(chunks));
      return response.writeHead(201).end();
    }
    if (request.method === "DELETE") return response.writeHead(blobs.delete(key) ? 204 : 404).end();
    const bytes = blobs.get(key);
    if (!bytes) return response.writeHead(404).end();
    const etag = `"${bytes.length}-${bytes.reduce((n, b) => (n * 31 + b) >>> 0, 7)}"`;
    if (request.headers["if-none-match"] === etag) return response.writeHead(304).end();
    const from = range && request.headers["if-range"] === etag ? Number(range) : 0;
    const part = bytes.subarray(from);
    const headers = { etag, "accept-ranges": "bytes", "content-length": part.length };
    response.writeHead(from > 0 ? 206 : 200, headers);
    if (key.endsWith("/model") && !broken.has(key)) {
      broken.add(key);
      response.write(part.subarray(0, 50), () => setTimeout(() => response.destroy(), 20));
    } else response.end(part);
    return undefined;
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  served = { base: `http://127.0.0.1:${port}/`, requests };
});
afterAll(() => server.close());

/** KV and R2 as Cloudflare has them, two keys a page. */
function pages<T>(blobs: Blobs, page: (names: string[], cursor: string | undefined) => T) {
  return async ({ prefix, cursor }: { prefix: string; cursor?: string }): Promise<T> => {
    const names = (await blobs.list(prefix)).sort();
    const start = Number(cursor ?? 0);
    return page(names.slice(start, start + 2), start + 2 < names.length ? String(start + 2) : undefined);
  };
}

function kv() {
  const blobs = memoryBlobs();
  return kvStore({
    list: pages(blobs, (names, cursor) => ({
      keys: names.map((name) => ({ name })),
      list_complete: cursor === undefined,
      ...(cursor === undefined ? {} : { cursor }),
    })),
    get: async (key) => (await blobs.get(key)) ?? null,
    put: (key, value) => blobs.put(key, value as Uint8Array),
    delete: (key) => blobs.delete(key),
  });
}

function r2() {
  const blobs = memoryBlobs();
  return r2Store({
    list: pages(blobs, (names, cursor) => ({
      objects: names.map((key) => ({ key })),
      truncated: cursor !== undefined,
      ...(cursor === undefined ? {} : { cursor }),
    })),
    get: async (key) => {
      const body = await blobs.get(key);
      return body ? { body } : null;
    },
    put: (key, value) => blobs.put(key, value as Uint8Array),
    delete: (key) => blobs.delete(key),
  });
}

/** The Cache API in memory. */
function withCaches<T>(run: () => T): T {
  const held = new Map<string, Response>();
  const cache = {
    match: async (key: string) => held.get(key)?.clone(),
    put: async (key: string, response: Response) => void held.set(key, response),
    delete: async (key: string) => held.delete(key),
  };
  Object.assign(globalThis, { caches: { open: async () => cache } });
  return run();
}

const stores: [string, () => ModelStore][] = [
  ["memory", memoryStore],
  ["folder", () => folderStore(folder())],
  ["http", () => httpStore(`${served.base}${Math.random()}`)],
  ["kv", kv],
  ["r2", r2],
  ["cache", () => withCaches(() => cacheStore("models"))],
];

describe.each(stores)("%s store", (_, make) => {
  test("holds models by name and version, the newest first to serve", async () => {
    const store = make();
    expect([await store.list(), await store.versions("a"), await store.current("a")]).toEqual([[], [], undefined]);
    for (let i = 0; i < 11; i++) await publish(store, "a", await small(i));
    await publish(store, "b", await small(), { version: "2026-01", metrics: { accuracy: 0.99 } });
    expect(await store.list()).toEqual(["a", "b"]);
    expect(await store.versions("a")).toEqual(["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"]);
    expect(await store.current("a")).toBe("11");
    expect(await rollback(store, "a")).toBe("10");
    const model = await openModel(store, "a", "3");
    expect(model.weights()).toEqual((await small(2)).weights());
    expect(await store.manifest("b", "2026-01")).toMatchObject({
      model: "b",
      metrics: { accuracy: 0.99 },
      inputs: [{ name: "x", shape: [4], datatype: "FP32" }],
    });
    await store.delete("a", "11");
    expect(await store.versions("a")).toHaveLength(10);
    await expect(store.delete("a", "10")).rejects.toThrow("delete");
    await expect(publish(store, "a", model, { version: "3" })).rejects.toThrow(
      'expected a new version, got "3", which is there',
    );
    await expect(store.promote("a", "99")).rejects.toThrow("expected a version of 1, 2, 3");
  });

  test("names cannot lead out of it", async () => {
    const store = make();
    for (const name of ["../a", "a/b", "", ".hidden", "a\0", "current"]) {
      await expect(store.versions(name)).rejects.toThrow("a model's name");
      await expect((async () => store.get("a", name))()).rejects.toThrow("a version");
    }
  });
});

test("a download that breaks off goes on where it was, and what has not changed is not sent again", async () => {
  const store = httpStore(`${served.base}once`);
  await publish(store, "a", await small(1));
  served.requests.length = 0;
  const model = await openModel(store, "a", "1");
  expect(model.weights()).toEqual((await small(1)).weights());
  expect(served.requests).toContain("GET /once/a/1/model from there");
});

describe("trust", () => {
  const keys = () => crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]) as Promise<CryptoKeyPair>;
  const aes = () => crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt", "decrypt"]);

  test("signed and encrypted models open with the right keys only", async () => {
    const store = memoryStore();
    const [mine, theirs] = [await keys(), await keys()];
    const [secret, other] = [await aes(), await aes()];
    await publish(store, "a", await small(1), { sign: mine.privateKey, encrypt: secret });
    await publish(store, "a", await small(2), { sign: theirs.privateKey, encrypt: secret });
    await publish(store, "a", await small(3));
    const open = { verify: mine.publicKey, decrypt: secret };
    expect((await openModel(store, "a", "1", open)).weights()).toEqual((await small(1)).weights());
    await expect(openModel(store, "a", "2", open)).rejects.toThrow(
      "expected the signature to be of this manifest and key",
    );
    await expect(openModel(store, "a", "3", open)).rejects.toThrow("expected a signature, got none");
    await expect(openModel(store, "a", "1", { ...open, decrypt: other })).rejects.toThrow(
      "bytes that this key decrypts",
    );
    await expect(openModel(store, "a", "1")).rejects.toThrow("expected a key to decrypt it with");
  });

  test("every flipped byte of a signed model is found, in the bytes and in the manifest", async () => {
    const blobs = memoryBlobs();
    const store = modelStore(blobs);
    const { privateKey, publicKey } = await keys();
    await publish(store, "a", await small(), { sign: privateKey });
    for (const key of ["a/1/model", "a/1/manifest.json"]) {
      const whole = new Uint8Array(await new Response(await blobs.get(key)).arrayBuffer());
      let found = 0;
      for (let at = 0; at < whole.length; at += 7) {
        const damaged = whole.slice();
        damaged[at] ^= 1;
        await blobs.put(key, damaged);
        const outcome = await openModel(store, "a", "1", { verify: publicKey }).then(
          () => "opened",
          (error: Error) => error.name,
        );
        if (outcome === "FormatError" || outcome === "RangeError") found++;
        else if (key.endsWith("json")) {
          // White space and the case of digits do not change what a manifest says.
          const [before, after] = [whole, damaged].map((bytes) => JSON.parse(new TextDecoder().decode(bytes)));
          expect(after).toEqual(before);
        } else throw new Error(`byte ${at} of ${key}: ${outcome}`);
      }
      expect(found).toBeGreaterThan(10);
      await blobs.put(key, whole);
    }
  });
});

describe("serving from a store", () => {
  const infer = "/v2/models/a/infer";

  test("a new version swaps in, rollback swaps back, and no request under way notices", async () => {
    const store = memoryStore();
    await publish(store, "a", await small(1));
    const events: unknown[] = [];
    const serve = handler({ models: store, refresh: 0, hooks: { load: (event) => events.push(event) } });
    const versions = new Set<string>();
    let asking = true;
    const traffic = (async () => {
      while (asking) {
        const { status, json } = await ask(serve, infer, { inputs: [x(1)] });
        expect(status).toBe(200);
        versions.add(json.model_version);
      }
    })();
    const until = async (version: string) => {
      while (!versions.has(version)) await new Promise((done) => setTimeout(done, 1));
    };
    await until("1");
    await publish(store, "a", await small(2));
    await until("2");
    await rollback(store, "a");
    versions.clear();
    await until("1");
    asking = false;
    await traffic;
    expect(events).toMatchObject([{ version: "1" }, { version: "2" }, { version: "1" }]);
    expect((await ask(serve, "/v2/models/a/versions/2")).json.version).toBe("2");
  });

  test("versions asked for by number stay loaded, whatever else strangers ask for", async () => {
    const store = memoryStore();
    for (let i = 1; i <= 3; i++) await publish(store, "a", await small(i));
    const loaded: string[] = [];
    const serve = handler({ models: store, hooks: { load: ({ version }) => loaded.push(version) } });
    for (let round = 0; round < 2; round++) {
      for (const version of ["1", "2"])
        expect((await ask(serve, `/v2/models/a/versions/${version}`)).json.version).toBe(version);
      const strange = Array.from({ length: 20 }, (_, i) => ask(serve, `/v2/models/a/versions/none${i}`));
      expect((await Promise.all(strange)).map(({ status }) => status)).toEqual(Array(20).fill(404));
    }
    expect(loaded).toEqual(["1", "2"]);
  });

  test("a version that cannot be loaded leaves the old one serving, and the error says why", async () => {
    const path = folder();
    const store = folderStore(path);
    await publish(store, "a", await small(1));
    const errors: string[] = [];
    const load = ({ error }: { error?: unknown }) => error && errors.push((error as Error).message);
    const serve = handler({ models: store, refresh: 0, hooks: { load } });
    expect((await ask(serve, infer, { inputs: [x(1)] })).json.model_version).toBe("1");
    const { version } = await publish(store, "a", await small(2), { promote: false });
    writeFileSync(join(path, "a", version, "model"), "not a model");
    await store.promote("a", version);
    await expect(serve.reload("a")).rejects.toThrow('model "a" could not be loaded: model "a" version "2": expected');
    const { status, json } = await ask(serve, infer, { inputs: [x(1)] });
    expect([status, json.model_version]).toEqual([200, "1"]);
    expect(errors[0]).toMatch(/^model "a" version "2": expected \d+ bytes, got 11$/);
    const other = await ask(serve, "/v2/models/a/versions/2/infer", { inputs: [x(1)] });
    expect([other.status, other.json.error]).toEqual([503, expect.stringContaining('version "2": expected')]);
  });

  test("a disk that is full leaves the old version, and no drafts", async () => {
    const path = folder();
    const store = folderStore(path);
    await publish(store, "a", await small(1));
    const files = process.getBuiltinModule("node:fs/promises");
    const { writeFile } = files;
    files.writeFile = (async (file: string, bytes: Uint8Array) => {
      await writeFile(file, bytes.subarray(0, 10));
      throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
    }) as never;
    try {
      await expect(publish(store, "a", await small(2))).rejects.toThrow("no space left");
    } finally {
      files.writeFile = writeFile;
    }
    expect(readdirSync(path, { recursive: true }).filter((name) => String(name).includes("draft"))).toEqual([]);
    expect([await store.versions("a"), await store.current("a")]).toEqual([["1"], "1"]);
    expect((await openModel(store, "a", "1")).weights()).toEqual((await small(1)).weights());
  });
});
