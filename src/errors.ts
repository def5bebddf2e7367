// The errors Lanewise throws. Each carries the facts its message is made of, so that a program can act on them: which operator,
// which layer, what was expected and what came. Bad arguments use the built-in RangeError and TypeError with the same facts.

/** What an error knows beside its message. */
export interface Facts {
  /** The operator or public function that refused. */
  readonly op?: string;
  /** The layer, tensor or field it was about. (An error's own `name` stays its class, as in every stack trace.) */
  readonly layer?: string;
  readonly expected?: string;
  readonly actual?: string;
  readonly cause?: unknown;
}

const OWN = Symbol.for("lanewise.error");

function sentence({ op, layer, expected, actual }: Facts): string {
  const where = [op, layer === undefined ? undefined : `"${layer}"`].filter(Boolean).join(" ");
  return `${where}${where && ": "}expected ${expected}${actual === undefined ? "" : `, got ${actual}`}`;
}

function attach<E extends Error>(error: E, facts: Facts): E {
  Object.assign(error, facts);
  Object.defineProperty(error, OWN, { value: facts });
  return error;
}

/** Shapes that do not fit together, found on the line that put them together. */
export class ShapeError extends Error {
  declare readonly op?: string;
  declare readonly layer?: string;
  declare readonly expected?: string;
  declare readonly actual?: string;
  override readonly name = "ShapeError";
  constructor(facts: Facts, message = sentence(facts)) {
    super(message);
    attach(this, facts);
  }
}

/** Bytes that are not what they should be: a model, data or weights file that is damaged, cut off or made to harm. */
export class FormatError extends Error {
  declare readonly op?: string;
  declare readonly layer?: string;
  declare readonly expected?: string;
  declare readonly actual?: string;
  override readonly name = "FormatError";
  constructor(message: string, facts: Facts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    attach(this, facts);
  }
}

/** A valid model that asks for something this build cannot do; `operators` lists all of it at once. */
export class UnsupportedError extends Error {
  override readonly name = "UnsupportedError";
  constructor(
    message: string,
    readonly operators: readonly string[] = [],
  ) {
    super(message);
    attach(this, {});
  }
}

/** A RangeError that carries its facts. */
export function rangeError(facts: Facts, message = sentence(facts)): RangeError {
  return attach(new RangeError(message), facts);
}

/** A TypeError that carries its facts. */
export function typeError(facts: Facts, message = sentence(facts)): TypeError {
  return attach(new TypeError(message), facts);
}

/** The same error, now naming the layer in which it happened; errors that are not ours, or already name one, stay as they are. */
export function inLayer(error: unknown, op: string, layer: string | undefined): unknown {
  return withFacts(error, (facts) =>
    facts.layer === undefined ? { ...facts, op, ...(layer === undefined ? {} : { layer }) } : facts,
  );
}

/** The same error with other facts, and a message made of them; errors that are not ours, or state no facts, stay as they are. */
export function withFacts(error: unknown, change: (facts: Facts) => Facts): unknown {
  if (!(error instanceof Error) || !(OWN in error)) return error;
  const facts = (error as unknown as Record<symbol, Facts>)[OWN] as Facts;
  const changed = facts.expected === undefined ? facts : change(facts);
  if (changed === facts) return error;
  if (error instanceof ShapeError) return new ShapeError(changed);
  if (error instanceof RangeError) return rangeError(changed);
  return error instanceof TypeError ? typeError(changed) : error;
}

/** True for every error that Lanewise itself made. */
export function isOwnError(error: unknown): error is Error {
  return error instanceof Error && OWN in error;
}

/** What came, for errors: a number, a name in quotes, the class of an object. */
export function told(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" && value !== null ? (value.constructor?.name ?? "an object") : String(value);
}

/** @throws {TypeError} unless the options are an object that has none but the known ones: a slip of the pen would go unnoticed */
export function checkKeys(op: string, options: unknown, known: readonly PropertyKey[]): void {
  const expected = `options ${known.map(String).join(", ")}`;
  if (typeof options !== "object" || options === null) throw typeError({ op, expected, actual: told(options) });
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined) throw typeError({ op, expected, actual: `"${unknown}"` });
}
