// One inference: the body of a request to tensors, a model's results to the body of a response.

import { asReal } from "../ops/quantized/data.js";
import type { Model } from "../program/model.js";
import type { Tensor } from "../tensor.js";
import { type Answer, json } from "./call.js";
import { datatypes, type InferRequest, JSON_LENGTH, type ResponseOutput, readRequest } from "./protocol.js";
import { Refusal } from "./refusal.js";
import { binarySize, decode, encode, toJson } from "./tensors.js";

/** A request that fits a model. */
export interface Inference {
  readonly request: InferRequest;
  /** One per input of the model, all of one batch. */
  readonly feeds: readonly Tensor[];
}

/** @throws {Refusal} with status 400 that says what was expected */
export function readInference(body: Uint8Array, jsonLength: string | undefined, model: Model): Inference {
  const split = splitAt(body, jsonLength);
  const request = readRequest(decodeText(body.subarray(0, split)));
  const binary = body.subarray(split);
  const most = Math.ceil(split / 2);
  let at = 0;
  const feeds = new Map<string, Tensor>();
  for (const given of request.inputs) {
    const spec = model.inputs.find(({ name }) => name === given.name);
    if (spec === undefined) throw unknownName("input", given.name, model.inputs);
    if (feeds.has(given.name)) throw new Refusal(400, `input "${given.name}": expected once, got twice`);
    const size = binarySize(given);
    if (size !== undefined && size > binary.length - at) {
      const message = `input "${given.name}": expected ${size} bytes after the JSON, got ${binary.length - at}`;
      throw new Refusal(400, message);
    }
    feeds.set(given.name, decode(given, spec, size === undefined ? undefined : binary.subarray(at, at + size), most));
    at += size ?? 0;
  }
  if (at !== binary.length)
    throw new Refusal(400, `expected ${at} bytes after the JSON, as the inputs say, got ${binary.length}`);
  const missing = model.inputs.find(({ name }) => !feeds.has(name));
  if (missing) throw new Refusal(400, `expected input "${missing.name}", got ${[...feeds.keys()].join(", ")}`);
  for (const { name } of request.outputs ?? [])
    if (!model.outputs.some((spec) => spec.name === name)) throw unknownName("output", name, model.outputs);
  return {
    request,
    feeds: sameBatch(
      model,
      model.inputs.map(({ name }) => feeds.get(name) as Tensor),
    ),
  };
}

function sameBatch(model: Model, feeds: readonly Tensor[]): readonly Tensor[] {
  const batch = model.batchOf(feeds);
  const other = feeds.find(({ shape }, i) => model.inputs[i].batched !== false && shape[0] !== batch);
  if (!other) return feeds;
  throw new Refusal(400, `expected one batch size for all inputs, got ${batch} and ${other.shape[0]}`);
}

function unknownName(what: string, name: string, known: readonly { name: string }[]): Refusal {
  const names = known.map((spec) => `"${spec.name}"`).join(", ");
  return new Refusal(400, `expected ${what} ${names}, got ${JSON.stringify(name.slice(0, 64))}`);
}

/** Where the JSON ends. */
function splitAt(body: Uint8Array, header: string | undefined): number {
  if (header === undefined) return body.length;
  const length = Number(header);
  if (/^\d{1,15}$/.test(header) && length <= body.length) return length;
  throw new Refusal(
    400,
    `${JSON_LENGTH}: expected at most the ${body.length} bytes of the body, got ${header.slice(0, 32)}`,
  );
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new Refusal(400, "expected the JSON to be UTF-8", { cause });
  }
}

const text = new TextEncoder();

/** The answer to a request: JSON, and after it the outputs that were asked for as bytes. */
export function writeInference(
  { request }: Inference,
  results: readonly Tensor[],
  { name, version, model }: { readonly name: string; readonly version: string; readonly model: Model },
): Answer {
  const wanted =
    request.outputs ?? model.outputs.map(({ name }) => ({ name, parameters: {} as Record<string, unknown> }));
  const blobs: Uint8Array[] = [];
  const outputs = wanted.map(({ name: output, parameters }): ResponseOutput => {
    const at = model.outputs.findIndex((spec) => spec.name === output);
    const real = (parameters.dequantize ?? request.parameters.dequantize) === true;
    const result = real ? asReal(results[at], model.outputs[at]) : results[at];
    const head = { name: output, shape: result.shape, datatype: datatypes[result.dtype] };
    if ((parameters.binary_data ?? request.parameters.binary_data_output) !== true)
      return { ...head, data: toJson(output, result) };
    const bytes = encode(result);
    blobs.push(bytes);
    return { ...head, parameters: { binary_data_size: bytes.length } };
  });
  const { id } = request;
  const head = json({ model_name: name, model_version: version, ...(id === undefined ? {} : { id }), outputs });
  if (blobs.length === 0) return head;
  const most = 3 * head.body.length; // bytes of UTF-8
  const whole = new Uint8Array(blobs.reduce((n, { length }) => n + length, most));
  const { written } = text.encodeInto(head.body as string, whole);
  let at = written;
  for (const blob of blobs) {
    whole.set(blob, at);
    at += blob.length;
  }
  const headers = { "content-type": "application/octet-stream", [JSON_LENGTH]: String(written) };
  return { status: 200, headers, body: whole.subarray(0, at) };
}
