// What the commands refuse, and in what words.

/** The command was not called as it can be: its message is one line, and the exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** A parser of an option's text. @throws {UsageError} unless it is an integer from `least` to `most` */
export function integer(option: string, least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new UsageError(`--${option}: expected an integer ${range}, got "${text}"`);
  };
}

/** What an option was given each time. */
export const each = (text: string, before: string[] = []): string[] => [...before, text];

/** Names that are joined by commas. */
export const names = (text: string): string[] => text.split(",").map((name) => name.trim());

/** What went wrong with a file that was named, as one line. */
export function fileError(path: string, error: unknown): UsageError {
  const { code, message } = error as { code?: string; message: string };
  const reasons: Record<string, string> = {
    ENOENT: "there is no such file or folder",
    EISDIR: "this is a folder, not a file",
    ENOTDIR: "part of the path is no folder",
    EACCES: "reading it is not permitted",
  };
  return new UsageError(`${path}: ${reasons[code ?? ""] ?? message}`);
}
