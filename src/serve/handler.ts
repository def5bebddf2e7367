// The entry "lanewise/serve": a standard fetch handler that speaks the Open Inference Protocol v2.
import { FetchCall, response } from "./call.js";
import type { HandlerOptions } from "./options.js";
import { type Service, service } from "./service.js";

/** What serves requests: `(request, env?, ctx?) => Promise<Response>`, with what a server's main program needs beside it. */
export interface Handler extends Service {
  (request: Request, env?: unknown, ctx?: unknown): Promise<Response>;
}

/**
 * A service for models: health, metadata and inference as in the Open Inference Protocol v2, its binary tensors included.
 * https://github.com/kserve/open-inference-protocol
 * @param options.models a store, or models by name, loaded when first asked for
 * @returns a standard fetch handler: `export default { fetch: handler({ models }) }` is a whole Worker
 * @throws {TypeError} or {RangeError} for options that cannot be
 * @example
 * const serve = handler({ models: { digits: await build(input([4], { name: "x" }), dense(2)) } });
 * const ready = await serve(new Request("http://localhost/v2/models/digits/ready"));
 * ready.status; // 200
 * const body = JSON.stringify({ inputs: [{ name: "x", shape: [1, 4], datatype: "FP32", data: [1, 2, 3, 4] }] });
 * const response = await serve(new Request("http://localhost/v2/models/digits/infer", { method: "POST", body }));
 * (await response.json()).outputs[0].shape; // [1, 2]
 */
export function handler(options: HandlerOptions): Handler {
  const { answer, ...others } = service(options);
  const serve = async (request: Request, env?: unknown): Promise<Response> => {
    const call = new FetchCall(request);
    return response(await answer(call, env), call);
  };
  return Object.assign(serve, { answer, ...others });
}
