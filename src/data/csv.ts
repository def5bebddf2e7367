// Tables from comma-separated values: columns by name, and the tensors that a model trains on.
import { FormatError, rangeError, typeError } from "../errors.js";
import { type Tensor, tensor } from "../tensor.js";
import { type Column, type ColumnType, parseNumber, readColumn } from "./columns.js";
import { type Line, readRecords, refuse } from "./records.js";

export type { CategoryColumn, Column, ColumnType, NumberColumn, TextColumn } from "./columns.js";

/** A column by its name, or by its position in the file, negative from the end. */
export type ColumnRef = string | number;

export interface CsvOptions {
  /** Whether the first line has names, or the names. Default: it has, unless one of its fields is a number; else "0", "1", ... */
  header?: boolean | readonly string[];
  /** One character; default ",". */
  delimiter?: string;
  /** Lines to leave out at the beginning; default 0. */
  skipLines?: number;
  /** What columns hold, by name. Default: numbers where most fields are numbers, else categories. */
  types?: Readonly<Record<string, ColumnType>>;
  /** The columns to read, in this order, besides the target; default all. */
  columns?: readonly ColumnRef[];
  /** What is to be predicted; makes `x` and `y`. */
  target?: ColumnRef | readonly ColumnRef[];
  /** Fields that stand for a missing value; default empty, NA, N/A, NaN, nan, null and ?. */
  missing?: readonly string[];
  /** Leave rows out in which a value is missing; default false. */
  dropMissing?: boolean;
}

/** Columns by name. */
export interface Table {
  /** In the order of the file, or of `options.columns`. */
  readonly names: readonly string[];
  readonly rows: number;
  readonly columns: Readonly<Record<string, Column>>;
}

/** A table as examples: `fit` takes it as it is, `dataset` too. */
export interface LabelledTable extends Table {
  /** float32 [rows, features]: numbers as they are, categories as their integers, NaN where one is missing. */
  readonly x: Tensor;
  /** int32 [rows] for a category (-1 where it is missing), float32 [rows, targets] for numbers. */
  readonly y: Tensor;
  /** The names of the columns of `x`. */
  readonly features: readonly string[];
}

/**
 * Reads comma-separated values (RFC 4180): quoted fields, doubled quotes, line ends of all kinds, empty lines left out.
 * @param source the text, or its bytes in UTF-8
 * @returns columns of float64 numbers, of categories as integers with their names, or of text; with a target also `x` and `y`
 * @throws {FormatError} for lines of other lengths, fields that are not of their column's type, quotes that do not close: with line and
 *   column; {RangeError} for a column that there is not
 * @example
 * const text = 'sepal,petal,species\n5.1,1.4,setosa\n7.0,4.7,"versicolor"\n6.3,?,virginica\n';
 * const { columns, x, y } = csv(text, { target: "species" });
 * columns.species.names; // ["setosa", "versicolor", "virginica"]
 * [...y.data]; // [0, 1, 2]
 * x.shape; // [3, 2]
 * csv(text, { target: -1, dropMissing: true }).rows; // 2
 */
export function csv(
  source: string | Uint8Array | ArrayBuffer,
  options: CsvOptions & { target: ColumnRef | readonly ColumnRef[] },
): LabelledTable;
export function csv(source: string | Uint8Array | ArrayBuffer, options?: CsvOptions): Table;
export function csv(source: string | Uint8Array | ArrayBuffer, options: CsvOptions = {}): Table | LabelledTable {
  const { delimiter = ",", skipLines = 0, types = {}, target, missing = MISSING, dropMissing = false } = options;
  checkOptions(delimiter, skipLines);
  const records = readRecords(decode(source), delimiter, skipLines);
  const { names, lines } = named(records, options.header);
  const wrong = Object.keys(types).find((name) => !names.includes(name));
  if (wrong !== undefined) throw noColumn(names, wrong);

  const targets =
    target === undefined ? [] : (Array.isArray(target) ? target : [target]).map((ref) => find(names, ref));
  const wanted = options.columns?.map((ref) => find(names, ref)) ?? names.map((_, i) => i);
  const kept = [...new Set([...wanted, ...targets])];

  const blanks = new Set(missing);
  const isMissing = (field: string) => blanks.has(field) || blanks.has(field.trim());
  const whole = dropMissing ? lines.filter(({ fields }) => !kept.some((i) => isMissing(fields[i]))) : lines;
  const read = kept.map((i) =>
    readColumn(whole, i, names[i], Object.hasOwn(types, names[i]) ? types[names[i]] : undefined, isMissing),
  );
  const table: Table = {
    names: kept.map((i) => names[i]),
    rows: whole.length,
    columns: Object.fromEntries(kept.map((i, k) => [names[i], read[k]])),
  };
  if (target === undefined) return table;

  const features = kept.filter((i) => !targets.includes(i)).map((i) => names[i]);
  return {
    ...table,
    features,
    x: matrix(table, features),
    y: labels(
      table,
      targets.map((i) => names[i]),
    ),
  };
}

const MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "?"];

function checkOptions(delimiter: string, skipLines: number): void {
  if (typeof delimiter !== "string" || delimiter.length !== 1 || '"\r\n'.includes(delimiter)) {
    const expected = "delimiter to be one character, no quote and no line end";
    throw rangeError({ op: "csv", expected, actual: JSON.stringify(delimiter) });
  }
  if (!Number.isSafeInteger(skipLines) || skipLines < 0) {
    throw rangeError({ op: "csv", expected: "skipLines to be a whole number", actual: String(skipLines) });
  }
}

function decode(source: string | Uint8Array | ArrayBuffer): string {
  if (typeof source === "string") return source;
  if (!(source instanceof Uint8Array || source instanceof ArrayBuffer)) {
    throw typeError({ op: "csv", expected: "text, or bytes as Uint8Array or ArrayBuffer", actual: typeof source });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(source);
  } catch (cause) {
    const facts = { op: "csv", expected: "text in UTF-8", actual: "other bytes", cause };
    throw new FormatError("csv: expected text in UTF-8, got other bytes", facts);
  }
}

/** Names and the lines below them, all of one length. */
function named(
  records: readonly Line[],
  header: CsvOptions["header"],
): { names: readonly string[]; lines: readonly Line[] } {
  const [first] = records;
  const given = typeof header === "object" ? header : undefined;
  const onTop = given ? false : (header ?? first?.fields.every((field) => parseNumber(field) === undefined) ?? false);
  const names = given ?? (onTop ? (first?.fields ?? []) : (first?.fields ?? []).map((_, i) => String(i)));
  for (const { line, fields } of records) {
    if (fields.length === names.length) continue;
    const as = given ? "one for each name of the header" : `as in line ${first.line}`;
    throw refuse(line, `${names.length} fields, ${as}`, String(fields.length));
  }
  const seen = new Set<string>();
  const twice = names.find((name) => seen.size === seen.add(name).size);
  if (twice !== undefined)
    throw refuse(first?.line ?? 1, "another name for each column", `two of ${JSON.stringify(twice)}`);
  return { names, lines: onTop ? records.slice(1) : records };
}

function find(names: readonly string[], ref: ColumnRef): number {
  const index = typeof ref === "string" ? names.indexOf(ref) : ref < 0 ? ref + names.length : ref;
  if (Number.isInteger(index) && index >= 0 && index < names.length) return index;
  throw noColumn(names, ref);
}

function noColumn(names: readonly string[], ref: ColumnRef): RangeError {
  const some = names.slice(0, 20).map((name) => JSON.stringify(name)).join(", "); // biome-ignore format: short
  const expected = `one of ${names.length} columns: ${some}${names.length > 20 ? ", ..." : ""}`;
  return rangeError({ op: "csv", expected, actual: JSON.stringify(ref) });
}

/** Columns side by side, float32 [rows, columns]. */
function matrix({ rows, columns }: Table, names: readonly string[]): Tensor {
  const data = new Float32Array(rows * names.length);
  names.forEach((name, k) => {
    const column = columns[name];
    if (column.type === "text") {
      const expected = "columns of numbers or categories; leave text out with options.columns";
      throw typeError({ op: "csv", layer: name, expected, actual: "text" });
    }
    const { type, values } = column;
    for (let i = 0; i < rows; i++)
      data[i * names.length + k] = type === "category" && values[i] < 0 ? Number.NaN : values[i];
  });
  return tensor(data, [rows, names.length]);
}

function labels(table: Table, names: readonly string[]): Tensor {
  const columns = names.map((name) => table.columns[name]);
  const [first] = columns;
  if (columns.length === 1 && first.type === "category") return tensor(first.values.slice(), [table.rows]);
  const other = columns.findIndex(({ type }) => type !== "number");
  if (columns.length > 0 && other < 0) return matrix(table, names);
  const actual = columns.map(({ type }) => type).join(", ") || "none";
  throw typeError({ op: "csv", layer: names[other], expected: "one category or only numbers as target", actual });
}
