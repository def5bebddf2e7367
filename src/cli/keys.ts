// Keys that models of a store are opened with, from files.
import { createPublicKey } from "node:crypto";
import { readBytes } from "./files.js";
import { UsageError } from "./usage.js";

/**
 * An Ed25519 public key in PEM, as `openssl pkey -pubout` writes it.
 * @throws {UsageError} for anything else: a server has no use for a private key
 */
export async function publicKey(path: string): Promise<CryptoKey> {
  const text = await textOf(path);
  const expected = `${path}: expected an Ed25519 public key in PEM`;
  if (text.includes("PRIVATE KEY")) throw new UsageError(`${expected}, got a private key`);
  let key: ReturnType<typeof createPublicKey>;
  try {
    key = createPublicKey(text);
  } catch (error) {
    throw new UsageError(`${expected}: ${(error as Error).message}`);
  }
  if (key.asymmetricKeyType !== "ed25519") throw new UsageError(`${expected}, got ${key.asymmetricKeyType}`);
  const bytes = key.export({ type: "spki", format: "der" }) as Uint8Array<ArrayBuffer>;
  return crypto.subtle.importKey("spki", bytes, "Ed25519", false, ["verify"]);
}

/**
 * An AES key in base64, as `openssl rand -base64 32` writes it.
 * @throws {UsageError} unless it has 16, 24 or 32 bytes
 */
export async function secretKey(path: string): Promise<CryptoKey> {
  const text = (await textOf(path)).trim();
  const bytes = Buffer.from(text, "base64");
  if (bytes.toString("base64") !== text || ![16, 24, 32].includes(bytes.length))
    throw new UsageError(`${path}: expected an AES key in base64, of 16, 24 or 32 bytes`);
  return crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["decrypt"]);
}

const textOf = async (path: string): Promise<string> => new TextDecoder().decode(await readBytes(path));
