// ARCHITECTURE.md is held to its lists.
import { describe, expect, it } from 'vitest';
import { checkArchitecture } from './architecture.ts';
import { plant } from './test-tree.ts';

const page = (spawn: readonly string[], restoration: readonly string[]): string =>
  [
    '# The house',
    '## The files of a spawn',
    ...spawn.map((file, index) => `${index + 1}. \`${file}\` does something`),
    '## The files of a restoration',
    ...restoration.map((file) => `- \`${file}\``),
  ].join('\n');

const messages = (text: string): string[] =>
  checkArchitecture(plant({ 'ARCHITECTURE.md': text, 'a.ts': '', 'b.ts': '' })).map(
    ({ line, message }) => `${line} ${message}`,
  );

describe('checkArchitecture', () => {
  it('has nothing to say when the page is true', () => {
    expect(messages(page(['a.ts', 'b.ts'], ['b.ts']))).toEqual([]);
  });

  it('has nothing to say before the page is written', () => {
    expect(checkArchitecture(plant({ 'a.ts': '' }))).toEqual([]);
  });

  it('names a file that does not exist, with its line', () => {
    expect(messages(page(['a.ts'], ['gone.ts']))).toEqual([
      '5 names gone.ts, which does not exist',
    ]);
  });

  it('counts', () => {
    const many = Array.from({ length: 11 }, () => 'a.ts');
    expect(messages(page(many, ['a.ts']))).toEqual(['2 11 files for a spawn, and 10 is the limit']);
  });

  it('misses a list and a heading', () => {
    expect(messages('# The house\n## The files of a spawn\nnothing')).toEqual([
      '2 lists no file for a spawn',
      '1 has no heading for the files of a restoration',
    ]);
  });
});
