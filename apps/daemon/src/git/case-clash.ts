/**
 * Paths of a tree that become one path where upper and lower case are the same. Why: a link and a
 * directory that fold into each other have let checkouts write into `.git`.
 *
 * Law: a link or a pointer that clashes is refused everywhere, for it has no honest use; other clashes
 * only where the file system really folds case.
 *
 * export findCaseClash(entries, options: { foldsCase }): string | null
 */

export interface TreeEntry {
  readonly mode: string;
  readonly path: string;
}

/** The first clashing path, or null. Entries are files, links and pointers; directories follow from them. */
export function findCaseClash(
  entries: readonly TreeEntry[],
  options: { readonly foldsCase: boolean },
): string | null {
  const spellings = new Map<string, string>();
  const clashing = new Set<string>();
  const risky = new Set<string>();
  for (const entry of entries) {
    if (entry.mode === '120000' || entry.mode === '160000') risky.add(fold(entry.path));
    for (const prefix of prefixes(entry.path)) {
      const folded = fold(prefix);
      const former = spellings.get(folded);
      if (former === undefined) spellings.set(folded, prefix);
      else if (former !== prefix) clashing.add(folded);
    }
  }
  for (const folded of clashing) {
    if (options.foldsCase || risky.has(folded)) return spellings.get(folded) ?? folded;
  }
  return null;
}

function fold(path: string): string {
  return path.normalize('NFC').toLowerCase();
}

function* prefixes(path: string): Generator<string> {
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1))
    yield path.slice(0, at);
  yield path;
}
