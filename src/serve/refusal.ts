// What a server answers instead of a result.

/** A request that is not served; its message goes to the client as `{ "error": ... }`. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  constructor(
    readonly status: 400 | 401 | 403 | 404 | 408 | 413 | 429 | 499 | 500 | 503 | 504,
    message: string,
    readonly options: { readonly cause?: unknown; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message, { cause: options.cause });
  }
}

/** The command line has this class as well: what its workers refuse is told by the name. */
export const isRefusal = (error: unknown): error is Refusal => error instanceof Error && error.name === "Refusal";
