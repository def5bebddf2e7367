// Rows of cells as aligned text, and the tables that several benchmarks print.

/** @param rows arrays of texts, `head` first; the first column is aligned left, numbers to the right */
export function table(head, rows) {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((cells) => cells[column].length)));
  const line = (cells) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join("  ");
  return all.map((cells) => line(cells).trimEnd()).join("\n");
}

/** A number with three digits that count: 12.3, 0.0123; nothing where there is none. */
export function digits(x) {
  if (x === undefined) return "";
  if (x === 0) return "0";
  return x >= 100 ? x.toFixed(0) : x.toFixed(Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(x)))));
}

/** Our time over theirs. */
export const times = (ratio) => (ratio < 0.095 ? ratio.toPrecision(1) : ratio.toFixed(2));

/** A share as percents. */
export const percent = (x) => (x === undefined ? "" : `${(100 * x).toFixed(0)}%`);

/** Rows that have been through `againstRoofs`. */
export const kernelTable = (title, rows) =>
  table(
    [title, "ms", "spread", "GFLOP/s", "GB/s", "of roof", "roof"],
    rows.map(({ name, ms, spread, gflops, gbps, ofRoof, roof }) => [
      name,
      digits(ms),
      percent(spread),
      digits(gflops),
      digits(gbps),
      percent(ofRoof),
      roof ?? "",
    ]),
  );
