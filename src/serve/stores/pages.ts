// Lists that platforms give in pages.

/** All keys. @param page the keys after a cursor, and the cursor of the next page where there is one */
export async function everyPage(
  page: (from: {
    cursor?: string;
  }) => Promise<{ readonly keys: readonly string[]; readonly cursor: string | undefined }>,
): Promise<string[]> {
  const all: string[] = [];
  let cursor: string | undefined;
  do {
    const next = await page(cursor === undefined ? {} : { cursor });
    all.push(...next.keys);
    cursor = next.cursor;
  } while (cursor !== undefined);
  return all;
}
