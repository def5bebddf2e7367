// Which pages of other origins may ask: https://fetch.spec.whatwg.org/#http-cors-protocol
import type { Answer, Call } from "./call.js";
import type { CorsOptions } from "./options.js";
import { JSON_LENGTH } from "./protocol.js";

/** The answer to a question whether a page may ask; undefined for what is no such question. */
export function preflight(call: Call, options: CorsOptions): Answer | undefined {
  if (call.method !== "OPTIONS") return undefined;
  const wanted = call.header("access-control-request-headers");
  const headers = {
    ...allowed(call, options),
    "access-control-allow-methods": "GET, POST, OPTIONS",
    ...(wanted !== undefined && {
      "access-control-allow-headers": wanted,
      vary: "Origin, Access-Control-Request-Headers",
    }),
  };
  return { status: 204, headers, body: "" };
}

/** An answer that pages of these origins may read, with the length of its JSON. */
export const readable = (answer: Answer, call: Call, options: CorsOptions): Answer => ({
  ...answer,
  headers: { ...answer.headers, ...allowed(call, options), "access-control-expose-headers": JSON_LENGTH },
});

function allowed(call: Call, { origin }: CorsOptions): Record<string, string> {
  if (origin === "*") return { "access-control-allow-origin": "*" };
  const given = call.header("origin");
  const isAllowed = given !== undefined && [origin].flat().includes(given);
  return { ...(isAllowed && { "access-control-allow-origin": given }), vary: "Origin" };
}
