// Bearer tokens.
import type { Call } from "./call.js";
import type { AuthOptions } from "./options.js";
import { Refusal } from "./refusal.js";

/** The token that a call brings; "" without one. */
export const tokenOf = (call: Call): string =>
  /^Bearer ([^\s]{1,4096})$/i.exec(call.header("authorization") ?? "")?.[1] ?? "";

/**
 * Checks a token against all that there are, in the same time whatever it is: both are digested first, so that neither their lengths
 * nor how far they agree shows.
 * @throws {Refusal} 401
 */
export async function authorize(token: string, { tokens }: AuthOptions): Promise<void> {
  const given = await digest(token);
  let found = 0;
  for (const each of await Promise.all(tokens.map(digest))) {
    let difference = 0;
    for (let i = 0; i < each.length; i++) difference |= each[i] ^ given[i];
    found |= Number(difference === 0);
  }
  if (found === 0) throw new Refusal(401, "expected a bearer token", { headers: { "www-authenticate": "Bearer" } });
}

const digest = async (token: string): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token)));
