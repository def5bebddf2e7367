// What a store knows of a version without reading its bytes: what they must be, what the model takes and gives, who signed it.
import * as v from "valibot";
import { FormatError } from "../errors.js";

/** What goes into or comes out of a model, without the batch. */
export interface ManifestSpec {
  name: string;
  shape: number[];
  datatype: string;
}

export interface Manifest {
  model: string;
  version: string;
  /** Of the bytes as they are stored, in hexadecimal. */
  sha256: string;
  /** How many there are. */
  bytes: number;
  inputs: ManifestSpec[];
  outputs: ManifestSpec[];
  /** Whatever its maker measured: `{ accuracy: 0.99 }`. */
  metrics?: Record<string, number> | undefined;
  /** ISO 8601, UTC. */
  created: string;
  /** What decryption needs beside the key. */
  encryption?: { algorithm: "AES-GCM"; iv: string } | undefined;
  /** Ed25519 over all other fields, in base64. */
  signature?: string | undefined;
}

const size = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const base64 = v.pipe(v.string(), v.base64());
const spec = v.object({ name: v.string(), shape: v.array(size), datatype: v.string() });

const schema: v.GenericSchema<unknown, Manifest> = v.object({
  model: v.string(),
  version: v.string(),
  sha256: v.pipe(v.string(), v.hexadecimal(), v.length(64)),
  bytes: size,
  inputs: v.array(spec),
  outputs: v.array(spec),
  metrics: v.optional(v.record(v.string(), v.number())),
  created: v.pipe(v.string(), v.isoTimestamp()),
  encryption: v.optional(v.object({ algorithm: v.literal("AES-GCM"), iv: base64 })),
  signature: v.optional(base64),
});

/** @throws {FormatError} unless the text is a manifest */
export function checkManifest(text: string, what: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FormatError(`${what}: expected JSON`, { cause });
  }
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const where = v.getDotPath(issue) ?? "the manifest";
  throw new FormatError(`${what}: ${where}: expected ${issue.expected ?? "another value"}, got ${issue.received}`);
}

/** What is signed: every field but the signature, keys sorted. */
export function signedText({ signature: _, ...rest }: Manifest): string {
  return JSON.stringify(rest, (_key, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
