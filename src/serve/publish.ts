// Into a store and out of it again: bytes with their digest, signed and encrypted where there are keys. Whoever loads trusts its keys, not
// the store.
import { FormatError, rangeError } from "../errors.js";
import { load, save } from "../formats/native.js";
import type { BuildOptions } from "../program/build.js";
import type { Model } from "../program/model.js";
import { type Manifest, signedText } from "./manifest.js";
import { datatypes } from "./protocol.js";
import { byVersion, checkName, type ModelStore, readAll } from "./store.js";

export interface PublishOptions {
  /** Default: one more than the highest number there is, "1" at first. */
  version?: string;
  /** Goes into the manifest. */
  metrics?: Record<string, number>;
  /** An Ed25519 private key: the manifest, and with it the bytes' digest, is signed. */
  sign?: CryptoKey;
  /** An AES-GCM key: the bytes are stored encrypted. */
  encrypt?: CryptoKey;
  /** Whether it becomes the current version; default true. */
  promote?: boolean;
}

/**
 * Puts a model into a store as a new version, which then is the current one.
 * @returns its manifest
 * @throws {RangeError} when there is such a version already: versions do not change
 * @example
 * const store = memoryStore();
 * const { version } = await publish(store, "digits", await build(input([4]), dense(2)));
 * await store.versions("digits"); // ["1"]
 */
export async function publish(
  store: ModelStore,
  name: string,
  model: Model,
  options: PublishOptions = {},
): Promise<Manifest> {
  checkName(name, "a model's name");
  const versions = await store.versions(name);
  const version = options.version ?? String(nextVersion(versions));
  checkName(version, "a version");
  if (versions.includes(version))
    throw rangeError({ op: "publish", layer: name, expected: "a new version", actual: `"${version}", which is there` });
  const plain = save(model) as Uint8Array<ArrayBuffer>;
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const bytes = options.encrypt
    ? new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, options.encrypt, plain))
    : plain;
  const specs = (list: Model["inputs"]) =>
    list.map(({ name, shape, dtype }) => ({ name, shape: [...shape], datatype: datatypes[dtype] }));
  const manifest: Manifest = {
    model: name,
    version,
    sha256: await sha256(bytes),
    bytes: bytes.length,
    inputs: specs(model.inputs),
    outputs: specs(model.outputs),
    ...(options.metrics && { metrics: options.metrics }),
    created: new Date().toISOString(),
    ...(options.encrypt && { encryption: { algorithm: "AES-GCM", iv: toBase64(iv) } }),
  };
  if (options.sign) {
    const text = new TextEncoder().encode(signedText(manifest));
    manifest.signature = toBase64(new Uint8Array(await crypto.subtle.sign("Ed25519", options.sign, text)));
  }
  await store.put(name, version, bytes, manifest);
  if (options.promote !== false) await store.promote(name, version);
  return manifest;
}

export interface OpenOptions extends BuildOptions {
  /** An Ed25519 public key: what it has not signed is refused. */
  verify?: CryptoKey;
  /** The AES-GCM key of encrypted models. */
  decrypt?: CryptoKey;
  /** Bytes of a model at most; default 1 GiB. */
  maxBytes?: number;
}

/**
 * A model from a store, once its bytes are what the manifest says and the manifest is signed as it must be.
 * @throws {FormatError} that says what is wrong; {RangeError} when there is no such version
 * @example
 * const store = memoryStore();
 * await publish(store, "digits", await build(input([4]), dense(2)));
 * (await openModel(store, "digits", "1")).inputs[0].shape; // [4]
 */
export async function openModel(
  store: ModelStore,
  name: string,
  version: string,
  options: OpenOptions = {},
): Promise<Model> {
  const manifest = await store.manifest(name, version);
  if (!manifest) throw rangeError({ op: "open", layer: name, expected: "a version in the store", actual: version });
  return openVersion(store, manifest, { model: name, version }, options);
}

/** The same once its manifest has been read: what it is the manifest of is checked here too. */
export async function openVersion(
  store: ModelStore,
  manifest: Manifest,
  { model: name, version }: Pick<Manifest, "model" | "version">,
  { verify, decrypt, maxBytes = 2 ** 30, ...options }: OpenOptions,
): Promise<Model> {
  const what = `model "${name}" version "${version}"`;
  if (manifest.model !== name || manifest.version !== version)
    throw new FormatError(`${what}: its manifest is that of "${manifest.model}" version "${manifest.version}"`);
  if (verify) await checkSignature(manifest, verify, what);
  if (manifest.bytes > maxBytes)
    throw new FormatError(`${what}: expected at most ${maxBytes} bytes, got ${manifest.bytes}`);
  const stream = await store.get(name, version);
  if (!stream) throw new FormatError(`${what}: its manifest is there, its bytes are not`);
  const bytes = await readAll(stream, manifest.bytes, what);
  if (bytes.length !== manifest.bytes)
    throw new FormatError(`${what}: expected ${manifest.bytes} bytes, got ${bytes.length}`);
  const digest = await sha256(bytes);
  if (digest !== manifest.sha256) throw new FormatError(`${what}: expected SHA-256 ${manifest.sha256}, got ${digest}`);
  return load(await decrypted(bytes, manifest, decrypt, what), { name, layers: store.layers, ...options });
}

async function checkSignature(manifest: Manifest, key: CryptoKey, what: string): Promise<void> {
  if (manifest.signature === undefined) throw new FormatError(`${what}: expected a signature, got none`);
  const text = new TextEncoder().encode(signedText(manifest));
  const right = await crypto.subtle.verify("Ed25519", key, fromBase64(manifest.signature), text);
  if (!right) throw new FormatError(`${what}: expected the signature to be of this manifest and key, it is not`);
}

async function decrypted(
  bytes: Uint8Array,
  { encryption }: Manifest,
  key: CryptoKey | undefined,
  what: string,
): Promise<Uint8Array> {
  if (!encryption) return bytes;
  if (!key) throw new FormatError(`${what}: expected a key to decrypt it with, got none`);
  const iv = fromBase64(encryption.iv);
  try {
    return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, bytes as Uint8Array<ArrayBuffer>));
  } catch (cause) {
    throw new FormatError(`${what}: expected bytes that this key decrypts`, { cause });
  }
}

const nextVersion = (versions: readonly string[]): number =>
  Math.max(0, ...versions.filter((version) => /^\d{1,15}$/.test(version)).map(Number)) + 1;

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const toBase64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));
const fromBase64 = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/**
 * Makes the version before the current one current again.
 * @returns the version that is served now
 * @throws {RangeError} when there is none before it
 * @example
 * const store = memoryStore();
 * const model = await build(input([4]), dense(2));
 * await publish(store, "digits", model);
 * await publish(store, "digits", model);
 * await rollback(store, "digits"); // "1"
 */
export async function rollback(store: ModelStore, name: string): Promise<string> {
  const current = await store.current(name);
  const before = (await store.versions(name)).filter((version) => current && byVersion(version, current) < 0).at(-1);
  if (before === undefined)
    throw rangeError({ op: "rollback", layer: name, expected: `a version before "${current}"`, actual: "none" });
  await store.promote(name, before);
  return before;
}
