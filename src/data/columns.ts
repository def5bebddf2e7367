// Columns of a table: text becomes numbers or categories, each value checked.
import type { Line } from "./records.js";
import { refuse, shorten } from "./records.js";

/** Numbers; NaN where one is missing. */
export interface NumberColumn {
  readonly type: "number";
  readonly values: Float64Array;
}

/** Integers that stand for names, -1 where one is missing. */
export interface CategoryColumn {
  readonly type: "category";
  readonly values: Int32Array;
  /** Value i stands for `names[i]`. Numbers ascend, other names are in the order of their characters' codes. */
  readonly names: readonly string[];
}

/** Text as it stands in the file; empty where it is missing. */
export interface TextColumn {
  readonly type: "text";
  readonly values: readonly string[];
}

export type Column = NumberColumn | CategoryColumn | TextColumn;

/** What a column holds; a list of names is a category with these names and no others. */
export type ColumnType = Column["type"] | readonly string[];

/** Decimal numbers, without alternatives that would make it search twice: any text is judged in one pass. */
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** The number that a field is; undefined for all else, and for those beyond the range of a double. */
export function parseNumber(field: string): number | undefined {
  const text = field.trim();
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

/**
 * Reads one column.
 * @param index of the field in each line
 * @param type default: numbers where most fields are (the others are then errors), else categories
 * @throws {FormatError} for the first field that is not of the type, with its line
 */
export function readColumn(
  lines: readonly Line[],
  index: number,
  name: string,
  type: ColumnType | undefined,
  isMissing: (field: string) => boolean,
): Column {
  const fields = lines.map((each) => each.fields[index]);
  const kind = type ?? inferType(fields, isMissing);
  if (kind === "text") return { type: kind, values: fields.map((field) => (isMissing(field) ? "" : field)) };
  if (kind === "number") {
    const values = Float64Array.from(fields, (field, i) => {
      if (isMissing(field)) return Number.NaN;
      const value = parseNumber(field);
      if (value !== undefined) return value;
      const expected = type === undefined ? "a number, like most others here (or types to say what it is)" : "a number";
      throw refuse(lines[i].line, expected, shorten(field), name);
    });
    return { type: kind, values };
  }
  const names = typeof kind === "string" ? namesOf(fields, isMissing) : kind;
  const codes = new Map(names.map((each, code) => [each, code]));
  const values = Int32Array.from(fields, (field, i) => {
    const code = codes.get(field) ?? (isMissing(field) ? -1 : undefined);
    if (code !== undefined) return code;
    throw refuse(lines[i].line, `one of ${names.slice(0, 10).join(", ")}`, shorten(field), name);
  });
  return { type: "category", values, names };
}

function inferType(fields: readonly string[], isMissing: (field: string) => boolean): "number" | "category" {
  const present = fields.filter((field) => !isMissing(field));
  const numbers = present.filter((field) => parseNumber(field) !== undefined);
  return present.length === 0 || numbers.length * 2 > present.length ? "number" : "category";
}

function namesOf(fields: readonly string[], isMissing: (field: string) => boolean): string[] {
  const names = [...new Set(fields)].filter((field) => !isMissing(field)).sort();
  const numbers = names.map(parseNumber);
  return numbers.includes(undefined) ? names : names.sort((a, b) => Number(a) - Number(b)); // a stable sort
}
