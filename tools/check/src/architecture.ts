// Holds ARCHITECTURE.md to what it says: the files of a spawn and of a restoration, ten at most each.
// Why: "through the fewest rooms" is a promise to whoever reads the code for the first time.
// Law: under a heading that speaks of the thing stands a list; each item begins with a file in
// backticks that exists.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Tree, Violation } from './tree.ts';

const page = 'ARCHITECTURE.md';
const maxFiles = 10;
const stories = [
  { name: 'a spawn', heading: /^#+\s.*\bspawn/i },
  { name: 'a restoration', heading: /^#+\s.*\brestor/i },
];

export const checkArchitecture = (tree: Tree): Violation[] => {
  const text = tree.others.find(({ path }) => path === page)?.text;
  if (text === undefined) return [];
  const lines = text.split('\n');
  return stories.flatMap(({ name, heading }) => {
    const start = lines.findIndex((line) => heading.test(line));
    if (start < 0) return [violation(1, `has no heading for the files of ${name}`)];
    const files = listedFiles(lines, start);
    if (files.length === 0) return [violation(start + 1, `lists no file for ${name}`)];
    const missing = files
      .filter(({ file }) => !existsSync(join(tree.root, file)))
      .map(({ file, line }) => violation(line, `names ${file}, which does not exist`));
    if (files.length <= maxFiles) return missing;
    const tooMany = `${files.length} files for ${name}, and ${maxFiles} is the limit`;
    return [...missing, violation(start + 1, tooMany)];
  });
};

const listedFiles = (lines: readonly string[], start: number): { file: string; line: number }[] => {
  const files: { file: string; line: number }[] = [];
  for (let index = start + 1; index < lines.length && !lines[index]!.startsWith('#'); index += 1) {
    const file = /^\s*(?:[-*]|\d+\.)\s+`([^`]+)`/.exec(lines[index]!)?.[1];
    if (file !== undefined) files.push({ file, line: index + 1 });
  }
  return files;
};

const violation = (line: number, message: string): Violation => ({
  path: page,
  line,
  rule: 'architecture',
  message,
});
