// Which rows `--only TEXT` asks for.

/** Rows whose section or name holds the text. */
export const wanted =
  (only) =>
  ({ section, name }) =>
    `${section} ${name}`.includes(only);
