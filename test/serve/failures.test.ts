// What fails around a server that serves a folder: publishers and servers that are killed, disks that are full, files that are damaged,
// versions that come and go. The version before keeps serving, and the error names the cause.

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { nodes } from "../../scripts/nodes.mjs";
import { build, dense, input, type Model, type Tensor } from "../../src/index.js";
import {
  folderStore,
  type ModelStore,
  openModel,
  type PublishOptions,
  publish,
  rollback,
} from "../../src/serve/index.js";
import { folder, lanewise, type Server, serving, servingOn } from "../cli/command.js";
import { x } from "./service.js";

const home = folder();
let made = 0;
const newFolder = () => {
  const path = join(home, `store-${++made}`);
  mkdirSync(path);
  return path;
};

/** A model that answers everything with one number. */
async function constant(number: number): Promise<Model> {
  const model = await build(input([4], { name: "x" }), dense(2, { name: "y" }));
  const { "y/kernel": kernel, "y/bias": bias } = model.weights();
  model.setWeights({
    "y/kernel": { ...kernel, data: new Float32Array(8) },
    "y/bias": { ...bias, data: Float32Array.of(number, number) },
  });
  return model;
}

const put = async (store: ModelStore, number: number, options: PublishOptions = {}) =>
  (await publish(store, "a", await constant(number), options)).version;

interface Inference {
  status: number;
  version: string;
  error: string | undefined;
  data: number[];
}

async function ask(url: string, path = "a"): Promise<Inference> {
  const body = JSON.stringify({ inputs: [x(3)] });
  const response = await fetch(`${url}/v2/models/${path}/infer`, { method: "POST", body });
  const { error, model_version: version, outputs } = JSON.parse(await response.text());
  return { status: response.status, version, error, data: outputs?.[0].data };
}

/** Asks without a pause, `lanes` requests at a time; every answer is of one version, which answers with its own number. */
function traffic(url: string, lanes = 4) {
  let asking = true;
  const seen: string[] = [];
  const lane = async () => {
    while (asking) {
      const answer = await ask(url);
      expect(answer.status, answer.error).toBe(200);
      expect(answer.data).toEqual(Array(6).fill(Number(answer.version)));
      seen.push(answer.version);
    }
  };
  const all = Promise.all(Array.from({ length: lanes }, lane));
  return {
    /** Until all of the last answers are of a version: as many as there are lanes and workers, several times. */
    async until(version: string) {
      for (const start = seen.length; ; ) {
        await Promise.race([all, new Promise((done) => setTimeout(done, 5))]);
        const last = seen.slice(start).slice(-40);
        if (last.length === 40 && last.every((one) => one === version)) return;
      }
    },
    seen,
    async stop() {
      asking = false;
      await all;
    },
  };
}

/** What the server said on standard error, once it has said that. */
async function said(server: Server, text: string): Promise<void> {
  while (!server.stderr().includes(text)) await new Promise((done) => setTimeout(done, 5));
}

const never = ["--refresh", "3600000"];
const workers: [string, string[]][] = [
  ["one thread", []],
  ["two workers", ["--workers", "2"]],
];

describe.each(Object.entries(nodes()))("Node %s", (_, node) => {
  describe.each(workers)("%s", (_, more) => {
    const start = (path: string, ...args: string[]) => servingOn([node as string], [path, ...more, ...args]);

    test.runIf(node)("versions come, go back and come again under traffic: by SIGHUP, and by themselves", async () => {
      for (const [args, hint] of [
        [never, true],
        [["--refresh", "0"], false],
      ] as const) {
        const path = newFolder();
        const store = folderStore(path);
        await put(store, 1);
        const server = await start(path, ...args);
        const asked = traffic(server.url);
        const takesOver = async (version: string) => {
          if (hint) server.child.kill("SIGHUP");
          await asked.until(version);
        };
        await takesOver("1");
        await put(store, 2);
        await takesOver("2");
        expect(await rollback(store, "a")).toBe("1");
        await takesOver("1");
        if (hint)
          writeFileSync(join(path, "a", "current"), "2\n"); // as one does by hand
        else await store.promote("a", "2");
        await takesOver("2");
        await asked.stop();
        expect(new Set(asked.seen)).toEqual(new Set(["1", "2"]));
        expect(await server.end("SIGTERM")).toBe(0);
        expect(server.stderr()).toBe(`lanewise: serving a on ${server.url}\n`);
      }
    });

    test.runIf(node)(
      "damaged files leave the old version serving, and standard error names what is wrong",
      async () => {
        const path = newFolder();
        const store = folderStore(path);
        await put(store, 1);
        const server = await start(path, ...never);
        const size = statSync(join(path, "a", "1", "model")).size;
        const asked = traffic(server.url);
        await asked.until("1");
        const damage = async (file: string, change: (bytes: Buffer) => Uint8Array | string, cause: string) => {
          const version = await put(store, 2, { promote: false });
          const target = join(path, "a", file.replace("N", version));
          const whole = existsSync(target) ? readFileSync(target) : undefined;
          writeFileSync(join(path, "a", "current"), version);
          const changed = change(whole ?? Buffer.alloc(0));
          if (changed.length === 0) rmSync(target);
          else writeFileSync(target, changed);
          server.child.kill("SIGHUP");
          await said(server, cause.replace("N", version));
          await asked.until("1");
          rmSync(join(path, "a", version), { recursive: true });
          writeFileSync(join(path, "a", "current"), "1");
        };
        const flip = (at: number) => (bytes: Buffer) => {
          bytes[at] ^= 1;
          return bytes;
        };
        const other = 'lanewise: "a" could not be loaded: model "a" version "N": ';
        await damage("N/model", flip(200), `${other}expected SHA-256 `);
        await damage("N/model", (bytes) => bytes.subarray(0, 99), `${other}expected ${size} bytes, got 99`);
        await damage(
          "N/model",
          (bytes) => Buffer.concat([bytes, bytes]),
          `${other}expected at most ${size} bytes, got more`,
        );
        await damage("N/model", () => "", `${other}its manifest is there, its bytes are not`);
        await damage("N/manifest.json", () => "{", "a/N/manifest.json: expected JSON");
        await damage("N/manifest.json", () => "{}", "a/N/manifest.json: model: expected");
        await damage(
          "N/manifest.json",
          (bytes) => bytes.toString().replace('"a"', '"b"'),
          `${other}its manifest is that of "b"`,
        );
        await damage("N/manifest.json", () => "", 'there is no model "a" with version "N"');
        await damage(
          "current",
          () => "../../etc",
          'expected a version of letters, digits, ".", "_" and "-", got "../../etc"',
        );
        writeFileSync(join(path, "a", "1", "model"), "damaged once it serves"); // which is in memory
        server.child.kill("SIGHUP");
        await asked.until("1");
        await put(store, 2);
        server.child.kill("SIGHUP");
        await asked.until("2");
        await asked.stop();
        expect(await server.end("SIGTERM")).toBe(0);
      },
    );
  });

  test.runIf(node)(
    "signed and encrypted versions: what the keys do not open does not serve, and files beside folders are refused",
    async () => {
      const path = newFolder();
      const store = folderStore(path);
      const pair = () => crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]) as Promise<CryptoKeyPair>;
      const aes = () => crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt", "decrypt"]);
      const [mine, theirs, secret, other] = [await pair(), await pair(), await aes(), await aes()];
      const base64 = (bytes: ArrayBuffer) => Buffer.from(bytes).toString("base64");
      const spki = base64(await crypto.subtle.exportKey("spki", mine.publicKey));
      writeFileSync(join(path, "key.pem"), `-----BEGIN PUBLIC KEY-----\n${spki}\n-----END PUBLIC KEY-----\n`);
      writeFileSync(join(path, "secret"), `${base64(await crypto.subtle.exportKey("raw", secret))}\n`);
      const keys = { sign: mine.privateKey, encrypt: secret };
      await put(store, 1, { ...keys, metrics: { accuracy: 0.75 } });
      const args = ["--verify", join(path, "key.pem"), "--decrypt", join(path, "secret"), ...never];
      const server = await servingOn([node as string], [path, ...args]);
      const asked = traffic(server.url);
      await asked.until("1");
      const fails = async (cause: string) => {
        server.child.kill("SIGHUP");
        await said(server, cause);
        await asked.until("1");
      };
      const what = (version: number) => `lanewise: "a" could not be loaded: model "a" version "${version}": `;
      await put(store, 2);
      await fails(`${what(2)}expected a signature, got none`);
      await put(store, 3, { ...keys, sign: theirs.privateKey });
      await fails(`${what(3)}expected the signature to be of this manifest and key, it is not`);
      await put(store, 4, { ...keys, encrypt: other });
      await fails(`${what(4)}expected bytes that this key decrypts`);
      await put(store, 5, { ...keys, metrics: { accuracy: 0.75 } });
      const file = (name: string) => join(path, "a", "5", name);
      const [bytes, manifest] = [readFileSync(file("model")), readFileSync(file("manifest.json"), "utf8")];
      writeFileSync(
        file("model"),
        bytes.map((byte, i) => (i === 100 ? byte ^ 4 : byte)),
      );
      await fails(`${what(5)}expected SHA-256`);
      writeFileSync(file("model"), bytes);
      writeFileSync(file("manifest.json"), manifest.replace("0.75", "0.76"));
      await fails(`${what(5)}expected the signature to be of this manifest and key, it is not`);
      writeFileSync(file("manifest.json"), manifest);
      server.child.kill("SIGHUP");
      await asked.until("5");
      await asked.stop();
      expect(await server.end("SIGTERM")).toBe(0);
    },
  );
});

test("a version that cannot be loaded is refused with the cause, and serves once it is repaired", async () => {
  const path = newFolder();
  await put(folderStore(path), 1);
  const file = join(path, "a", "1", "model");
  const whole = readFileSync(file);
  writeFileSync(file, whole.subarray(1));
  const server = await serving(path);
  const { status, error } = await ask(server.url);
  expect([status, error]).toEqual([
    503,
    `model "a" could not be loaded: model "a" version "1": expected ${whole.length} bytes, got ${whole.length - 1}`,
  ]);
  for (let i = 0; i < 5; i++) expect((await ask(server.url)).status).toBe(503);
  expect(server.stderr().match(/could not be loaded/g)).toHaveLength(1); // however often it is asked for
  writeFileSync(file, whole);
  expect((await ask(server.url)).data).toEqual([1, 1, 1, 1, 1, 1]);
  expect(await server.end("SIGTERM")).toBe(0);
});

test("keys that cannot be are bad usage", async () => {
  const path = newFolder();
  const file = (name: string, text: string) => {
    writeFileSync(join(path, name), text);
    return join(path, name);
  };
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const rsa = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey;
  const mine = file("mine.pem", privateKey.export({ type: "pkcs8", format: "pem" }).toString());
  const ours = file("ours.pem", publicKey.export({ type: "spki", format: "pem" }).toString());
  const theirs = file("rsa.pem", rsa.export({ type: "spki", format: "pem" }).toString());
  const model = file("model.safetensors", "");
  const expected = "expected an Ed25519 public key in PEM";
  const cases: [args: string[], said: string][] = [
    [["--verify", mine], `${mine}: ${expected}, got a private key`],
    [["--verify", theirs], `${theirs}: ${expected}, got rsa`],
    [["--verify", file("text", "no key")], `${join(path, "text")}: ${expected}`],
    [
      ["--decrypt", file("short", "c2hvcnQ=")],
      `${join(path, "short")}: expected an AES key in base64, of 16, 24 or 32 bytes`,
    ],
    [["--decrypt", join(path, "none")], `${join(path, "none")}: there is no such file or folder`],
    [[model, "--verify", ours], `${model}: expected folders with --verify, a file is not signed`],
    [["--refresh", "often"], '--refresh: expected an integer of at least 0, got "often"'],
  ];
  for (const [args, text] of cases) {
    const { code, stderr } = lanewise(["serve", path, ...args]);
    expect([code, stderr.startsWith(`lanewise: ${text}`), stderr.trim().split("\n").length], stderr).toEqual([
      2,
      true,
      1,
    ]);
  }
});

/** Every version that a store lists is whole, the current one is among them, and one more can be published. */
async function isSound(path: string): Promise<void> {
  const store = folderStore(path);
  const versions = await store.versions("a");
  for (const version of versions) {
    const { data } = (await openModel(store, "a", version)).predict(new Float32Array(4)) as Tensor;
    expect([...data]).toEqual([Number(version), Number(version)]);
  }
  const current = await store.current("a");
  if (versions.length > 0) expect(versions).toContain(current);
  const next = 1 + Number(versions.at(-1) ?? 0);
  expect(await put(store, next)).toBe(String(next));
  expect(await store.current("a")).toBe(String(next));
}

const publisher = (path: string, count: number): string[] => [
  resolve("test/serve/publisher.mjs"),
  pathToFileURL(resolve("dist")).href,
  path,
  "a",
  String(count),
];

describe("killed", () => {
  test("publishers at any moment leave a store that serves, and to which one publishes on", {
    timeout: 300_000,
  }, async () => {
    const path = newFolder();
    await put(folderStore(path), 1);
    const server = await serving(path, "--refresh", "0");
    const asked = traffic(server.url, 2);
    let known = 1;
    for (let i = 0; i < 20; i++) {
      const child = spawn(process.execPath, publisher(path, 1e6), { stdio: ["ignore", "pipe", "inherit"] });
      let text = "";
      child.stdout.on("data", (chunk) => {
        text += chunk;
      });
      const ended = new Promise((done) => child.on("close", done));
      await new Promise((done) => child.stdout.once("data", done));
      await new Promise((done) => setTimeout(done, Math.random() * 40));
      child.kill("SIGKILL");
      await ended;
      const acknowledged = Number(text.trim().split("\n").at(-1));
      const store = folderStore(path);
      const current = Number(await store.current("a"));
      expect(acknowledged).toBeGreaterThan(known);
      expect([acknowledged, acknowledged + 1]).toContain(current);
      await openModel(store, "a", String(current));
      known = current;
    }
    await asked.until(String(known));
    await asked.stop();
    await isSound(path);
    const drafts = () => readdirSync(path, { recursive: true }).filter((name) => String(name).endsWith(".draft"));
    writeFileSync(join(path, "a", "1", "model.of-old.draft"), "the one before");
    const hour = Date.now() / 1000 - 3600;
    for (const draft of drafts()) utimesSync(join(path, String(draft)), hour, hour);
    writeFileSync(join(path, "a", "1", "model.being-written.draft"), "somebody else's");
    await put(folderStore(path), 7, { version: "after" });
    expect(drafts()).toEqual([join("a", "1", "model.being-written.draft")]);
    expect(await server.end("SIGTERM")).toBe(0);
  });

  test("a server while it loads starts anew", async () => {
    const path = newFolder();
    await put(folderStore(path), 1);
    for (let i = 0; i < 5; i++) {
      const server = await serving(path);
      ask(server.url).catch(() => {}); // which loads the model
      await new Promise((done) => setTimeout(done, Math.random() * 20));
      expect(await server.end("SIGKILL")).toBe(null);
    }
    const server = await serving(path);
    expect((await ask(server.url)).data).toEqual([1, 1, 1, 1, 1, 1]);
    expect(await server.end("SIGTERM")).toBe(0);
    await isSound(path);
  });
});

describe("a disk without space", () => {
  const publishes = (path: string, count: number, limit = "") =>
    spawnSync("bash", ["-c", `${limit} exec "$0" "$@"`, process.execPath, ...publisher(path, count)]).stdout.toString();
  const noDrafts = (path: string) =>
    expect(readdirSync(path, { recursive: true }).filter((name) => String(name).endsWith(".draft"))).toEqual([]);

  test("files that may not be as large: the version before serves, and the publisher is told", async () => {
    const path = newFolder();
    expect(publishes(path, 2)).toBe("1\n2\n");
    const server = await serving(path, "--refresh", "0");
    const asked = traffic(server.url);
    expect(publishes(path, 2, "ulimit -f 64;")).toMatch(/^failed: EFBIG: file too large, write\n$/);
    noDrafts(path);
    await asked.until("2");
    expect(publishes(path, 1)).toBe("3\n");
    await asked.until("3");
    await asked.stop();
    expect(await server.end("SIGTERM")).toBe(0);
    await isSound(path);
  });

  test("a full one: the version before serves, the publisher is told, and goes on once there is space", async ({
    skip,
  }) => {
    const disk = join(home, "disk");
    const cannot = mounts(disk);
    if (cannot) skip(`no disk to fill: ${cannot}`);
    try {
      const said = publishes(disk, 50);
      expect(said).toMatch(/^(\d+\n)+failed: ENOSPC: no space left on device, write\n$/);
      const last = said.trim().split("\n").at(-2) as string;
      noDrafts(disk);
      const store = folderStore(disk);
      expect([await store.current("a"), (await store.versions("a")).at(-1)]).toEqual([last, last]);
      const server = await serving(disk, "--refresh", "0");
      const asked = traffic(server.url);
      await asked.until(last);
      expect(publishes(disk, 1)).toMatch(/^failed: ENOSPC/);
      await asked.until(last);
      await store.delete("a", "1");
      const next = String(1 + Number(last));
      expect(publishes(disk, 1)).toBe(`${next}\n`);
      await asked.until(next);
      await asked.stop();
      expect(await server.end("SIGTERM")).toBe(0);
    } finally {
      execFileSync("umount", [disk]);
    }
  });
});

/** Mounts a disk of 2 MB. @returns why that is not possible here */
function mounts(path: string): string | undefined {
  mkdirSync(path);
  const { status, stderr, error } = spawnSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", path]);
  return status === 0 ? undefined : (error?.message ?? stderr.toString().trim());
}
