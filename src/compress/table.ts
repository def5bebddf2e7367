// A report as people read it.
import type { ReportRow } from "./report.js";

type Column = readonly [head: string, cell: (row: ReportRow) => string | undefined];

const grouped = (x: number): string => x.toLocaleString("en-US", { maximumFractionDigits: 0 });
const share = (x: number): string => `${(100 * x).toFixed(2)} %`;
/** Four digits that count. */
const short = (x: number): string => String(Number(x.toPrecision(4)));
const some = (x: number | null | undefined, said: (x: number) => string): string | undefined =>
  x === undefined || x === null ? undefined : said(x);

/** One line for each model; columns that no model has are left out. */
export function table(rows: readonly ReportRow[]): string {
  const metrics = [...new Set(rows.flatMap((row) => Object.keys(row.metrics)))];
  const columns: readonly Column[] = [
    ["model", ({ name }) => name],
    ["parameters", ({ parameters }) => grouped(parameters)],
    ["non-zero", ({ nonZero }) => grouped(nonZero)],
    ["MACs", ({ macs }) => grouped(macs)],
    ["file B", ({ fileBytes }) => grouped(fileBytes)],
    ["gzip B", ({ gzipBytes }) => some(gzipBytes, grouped)],
    ["memory B", ({ memoryBytes }) => grouped(memoryBytes)],
    ["accuracy", ({ accuracy }) => some(accuracy, share)],
    ["agreement", ({ agreement }) => some(agreement, share)],
    ["error", ({ error }) => some(error, short)],
    ["difference", ({ difference }) => some(difference, short)],
    ...metrics.map((name): Column => [name, (row) => some(row.metrics[name], short)]),
    ["ms", ({ milliseconds }) => some(milliseconds, short)],
  ];
  const cells = columns.map(([head, cell]) => [head, ...rows.map(cell)]).filter(([, ...own]) => own.some(Boolean));
  const padded = cells.map((column, i) => {
    const width = Math.max(...column.map((text) => text?.length ?? 0));
    return column.map((text = "") => (i === 0 ? text.padEnd(width) : text.padStart(width)));
  });
  return [...padded[0].keys()]
    .map((line) =>
      padded
        .map((column) => column[line])
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
