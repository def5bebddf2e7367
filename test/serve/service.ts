// What the tests of lanewise/serve share: small models and requests to them.
import { build, cast, concatenate, dense, input, type Model } from "../../src/index.js";
import { type Handler, type HandlerOptions, handler } from "../../src/serve/index.js";

/** y = x W + b on [4], two numbers out. */
export const small = (seed = 0): Promise<Model> => build(input([4], { name: "x" }), dense(2, { name: "y" }), { seed });

/** Two inputs of different dtypes. */
export async function mixed(): Promise<Model> {
  const a = input([3], { name: "a" });
  const b = input([2], { name: "b", dtype: "int32" });
  const both = concatenate([a, cast(b, "float32")]);
  return build([a, b], [dense(2, { name: "first" })(both), dense(1, { name: "second" })(both)]);
}

export const x = (rows: number, first = 0) => ({
  name: "x",
  shape: [rows, 4],
  datatype: "FP32",
  data: Array.from({ length: 4 * rows }, (_, i) => first + i / 8),
});

/** Asks a handler, JSON in and out. */
export async function ask(
  serve: Handler,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely here
): Promise<{ status: number; json: any; headers: Headers }> {
  const init =
    body === undefined ? {} : { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) };
  const response = await serve(new Request(`http://localhost${path}`, { ...init, headers }));
  const text = await response.text();
  return { status: response.status, json: text === "" ? undefined : JSON.parse(text), headers: response.headers };
}

export const serving = async (options: Partial<HandlerOptions> = {}): Promise<Handler> =>
  handler({ models: { small: await small(), mixed: mixed }, ...options });
