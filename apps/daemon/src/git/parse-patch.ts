/**
 * A unified patch as sections and hunks.
 *
 * Law: total; inside a hunk every line starts with space, `+`, `-` or a backslash, so that a file's own
 * text can never be taken for a header.
 *
 * export parsePatch(text): PatchSection[]
 */

export interface PatchHunk {
  readonly header: string;
  readonly lines: string[];
}

export interface PatchSection {
  /** The line `diff --git …`. */
  readonly header: string;
  readonly hunks: PatchHunk[];
}

export function parsePatch(text: string): PatchSection[] {
  const sections: PatchSection[] = [];
  let section: PatchSection | undefined;
  let hunk: PatchHunk | undefined;
  for (const line of text.split('\n')) {
    if (line.startsWith('diff --git ')) {
      section = { header: line, hunks: [] };
      sections.push(section);
      hunk = undefined;
    } else if (line.startsWith('@@ ')) {
      hunk = { header: line, lines: [] };
      section?.hunks.push(hunk);
    } else if (hunk !== undefined && /^[ +\-\\]/.test(line)) {
      hunk.lines.push(line);
    }
  }
  return sections;
}
