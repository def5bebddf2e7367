// The Open Inference Protocol v2 over REST as data: what requests and responses look like, checked by valibot. Numbers of tensors are
// left alone here: tensors.ts reads them against the model.
// https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
import * as v from "valibot";
import type { DType } from "../tensor.js";
import { Refusal } from "./refusal.js";

/** The protocol's name of what a model holds. */
export const datatypes = {
  float32: "FP32",
  int8: "INT8",
  uint8: "UINT8",
  int16: "INT16",
  int32: "INT32",
  bool: "BOOL",
} as const satisfies Record<DType, string>;

/** Bytes of one element in the binary extension; INT64 goes to int32 inputs. */
export const widths: Readonly<Record<string, number>> = {
  FP32: 4,
  INT8: 1,
  UINT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  BOOL: 1,
};

/** The header that says how many bytes of the body are JSON; tensors follow, one after another. */
export const JSON_LENGTH = "Inference-Header-Content-Length";

type Parameters = Record<string, unknown>;

export interface RequestInput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: string;
  readonly parameters: Parameters;
  /** Flat or nested; absent when its bytes follow the JSON. */
  readonly data?: readonly unknown[] | undefined;
}

export interface InferRequest {
  readonly id?: string | undefined;
  readonly parameters: Parameters;
  readonly inputs: readonly RequestInput[];
  readonly outputs?: readonly { readonly name: string; readonly parameters: Parameters }[] | undefined;
}

const text = v.pipe(v.string(), v.maxLength(256));
const parameters = v.optional(v.record(v.string(), v.unknown()), {});
const dimension = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const requestInput = v.object({
  name: text,
  shape: v.pipe(v.array(dimension), v.maxLength(16)),
  datatype: v.picklist(Object.keys(widths)),
  parameters,
  data: v.optional(v.instance(Array)), // not looked into here: tensors.ts does
});
const inferRequest: v.GenericSchema<unknown, InferRequest> = v.object({
  id: v.optional(text),
  parameters,
  inputs: v.pipe(v.array(requestInput), v.minLength(1), v.maxLength(256)),
  outputs: v.optional(v.pipe(v.array(v.object({ name: text, parameters })), v.maxLength(256))),
});

export interface ResponseOutput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: string;
  readonly parameters?: { readonly binary_data_size: number };
  readonly data?: readonly (number | boolean)[];
}

/** The last short one: who sends tensors as bytes sends the same JSON before them each time. */
let last: { readonly json: string; readonly request: InferRequest } | undefined;

/** The JSON of an inference request. @throws {Refusal} with status 400 that says where it is wrong */
export function readRequest(json: string): InferRequest {
  if (json === last?.json) return last.request;
  const request = parse(json);
  if (json.length < 1024) last = { json, request };
  return request;
}

function parse(json: string): InferRequest {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new Refusal(400, "expected the body to be JSON", { cause });
  }
  const result = v.safeParse(inferRequest, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const where = v.getDotPath(issue) ?? "the body";
  throw new Refusal(400, `${where}: expected ${issue.expected ?? "an integer below 2^53"}, got ${issue.received}`);
}
