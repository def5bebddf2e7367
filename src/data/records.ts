// Comma-separated values as records of text: RFC 4180, with any delimiter, line ends of all kinds, and the line in every error.
//
// Our own parser, after a look at the libraries (gzipped, in a browser): papaparse is 7.3 KB and csv-parse 14.2 KB, all of `csv` here 3.4;
// d3-dsv and uDSV make their row objects by `new Function`, which Workers forbid. The errors here have line and column.
import { FormatError } from "../errors.js";

/** One line of the file, or several where a quoted field goes over line ends. */
export interface Line {
  /** Where it begins, from 1. */
  readonly line: number;
  readonly fields: readonly string[];
}

/**
 * Splits text into records. Empty lines are left out; spaces belong to the fields.
 * @param skip lines to leave out at the beginning
 * @throws {FormatError} for a quote that is not closed, that begins inside a field, or that other text follows
 */
export function readRecords(text: string, delimiter: string, skip: number): Line[] {
  const records: Line[] = [];
  const separator = delimiter.charCodeAt(0);
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0; // byte order mark
  let line = 1;

  /** Steps over a line end, if there is one here. */
  const lineEnd = (): boolean => {
    const code = text.charCodeAt(at);
    if (code !== LF && code !== CR) return false;
    at += code === CR && text.charCodeAt(at + 1) === LF ? 2 : 1;
    line++;
    return true;
  };

  const quoted = (): string => {
    const opened = line;
    let value = "";
    for (at++; ; at += 2) {
      const end = text.indexOf('"', at);
      if (end < 0) throw refuse(opened, 'a closing "', "the end of the text");
      value += text.slice(at, end);
      while (at < end) if (!lineEnd()) at++;
      if (text.charCodeAt(end + 1) !== QUOTE) break;
      value += '"';
    }
    at++;
    const next = text.charCodeAt(at);
    if (at < text.length && next !== separator && next !== LF && next !== CR) {
      throw refuse(line, `"${delimiter}" or the end of the line after a quoted field`, JSON.stringify(text[at]));
    }
    return value;
  };

  const plain = (): string => {
    const start = at;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === separator || code === LF || code === CR) break;
      if (code === QUOTE)
        throw refuse(line, 'a field with " in quotes, and "" for each one in it', shorten(text.slice(start, at + 1)));
    }
    return text.slice(start, at);
  };

  for (; skip > 0 && at < text.length; skip--) while (at < text.length && !lineEnd()) at++;
  while (at < text.length) {
    if (lineEnd()) continue;
    const begun = line;
    const fields: string[] = [];
    for (; ; at++) {
      fields.push(text.charCodeAt(at) === QUOTE ? quoted() : plain());
      if (text.charCodeAt(at) !== separator) break;
    }
    lineEnd();
    records.push({ line: begun, fields });
  }
  return records;
}

const [LF, CR, QUOTE] = [10, 13, 34];

/** A field as an error shows it. */
export const shorten = (field: string): string =>
  JSON.stringify(field.length > 40 ? `${field.slice(0, 40)}...` : field);

/** An error at a line, and at a column where it is about one. */
export function refuse(line: number, expected: string, actual: string, column?: string): FormatError {
  const where = column === undefined ? `line ${line}` : `line ${line}, column "${column}"`;
  return new FormatError(`csv: ${where}: expected ${expected}, got ${actual}`, {
    op: "csv",
    layer: column,
    expected,
    actual,
  });
}
