// The demo's repository: three small functions that are wrong, and a test that says so.
// Why: a merge that makes a failing test pass is shown best on code that fits a screen.
// Law: it is made new each time, below makima's own folder; nothing of the person's is touched.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Piece {
  /** Name of the task that mends it. */
  readonly task: string;
  readonly file: string;
  readonly test: string;
  readonly broken: string;
  readonly mended: (separator: string) => string;
}

export const pieces: readonly Piece[] = [
  {
    task: 'mend-slug',
    file: 'src/slug.js',
    test: 'test/slug.test.js',
    broken: 'export const slug = (title) => title;\n',
    mended: (separator) =>
      `/** A title as a part of a URL: lower case, words joined by "${separator}". */\nexport const slug = (title) =>\n  (title.toLowerCase().match(/[a-z0-9]+/g) ?? []).join('${separator}');\n`,
  },
  {
    task: 'mend-words',
    file: 'src/words.js',
    test: 'test/words.test.js',
    broken: 'export const words = () => 0;\n',
    mended: () =>
      '/** How many words a text has. */\nexport const words = (text) => (text.match(/\\S+/g) ?? []).length;\n',
  },
  {
    task: 'mend-initials',
    file: 'src/initials.js',
    test: 'test/initials.test.js',
    broken: "export const initials = () => '';\n",
    mended: () =>
      "/** First letters of a name. */\nexport const initials = (name) =>\n  (name.match(/\\S+/g) ?? []).map((part) => part[0].toUpperCase()).join('');\n",
  },
];

const tests: Readonly<Record<string, string>> = {
  'test/slug.test.js': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slug } from '../src/slug.js';
test('a title becomes a part of a URL', () => {
  assert.match(slug('Hello, brave World'), /^hello[-_]brave[-_]world$/);
});
`,
  'test/words.test.js': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { words } from '../src/words.js';
test('words are counted', () => {
  assert.equal(words('  three small words '), 3);
  assert.equal(words(''), 0);
});
`,
  'test/initials.test.js': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initials } from '../src/initials.js';
test('a name has initials', () => {
  assert.equal(initials('ada lovelace'), 'AL');
});
`,
};

/** Makes the repository in `dir` with one commit on `main`. */
export function makeRepository(dir: string): void {
  const files: Record<string, string> = {
    'package.json': `${JSON.stringify({ name: 'tiny-text', version: '1.0.0', type: 'module', scripts: { test: 'node --test' } }, null, 2)}\n`,
    'README.md':
      '# tiny-text\n\nThree small functions for text. `npm test` tells whether they work.\n',
    ...Object.fromEntries(pieces.map((piece) => [piece.file, piece.broken])),
    ...tests,
  };
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), content);
  }
  git(dir, ['init', '--quiet', '--initial-branch=main']);
  git(dir, ['add', '--all']);
  const identity = [
    '-c',
    'user.name=makima demo',
    '-c',
    'user.email=demo@localhost',
    '-c',
    'commit.gpgsign=false',
  ];
  git(dir, [...identity, 'commit', '--quiet', '-m', 'Three small functions, and tests that fail']);
}

/** Runs git in the demo's own repository. @throws with git's words. */
export function git(dir: string, args: readonly string[]): string {
  const run = spawnSync('git', ['-C', dir, ...args], { encoding: 'utf8' });
  if (run.error !== undefined)
    throw new Error(`git is needed and could not be run: ${run.error.message}`);
  if (run.status !== 0) throw new Error(`git ${args[0]} failed: ${run.stderr.trim()}`);
  return run.stdout.trim();
}
