// Lists that come in pages, read to their end.
// Law: every page but the last is followed by its cursor; a list that never ends is a failure.
interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

const mostPages = 100;

/** Every item, in the order of the pages. */
export async function every<T>(
  read: (after: { after?: string }) => Promise<Page<T>>,
): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  for (let n = 0; n < mostPages; n += 1) {
    const page: Page<T> = await read(cursor === null ? {} : { after: cursor });
    items.push(...page.items);
    if (page.nextCursor === null) return items;
    cursor = page.nextCursor;
  }
  throw new Error(`a list of more than ${mostPages} pages`);
}
