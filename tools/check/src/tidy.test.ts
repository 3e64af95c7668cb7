// Every house rule, broken and found.
import { describe, expect, it } from 'vitest';
import { checkTidy } from './tidy.ts';
import { plant } from './test-tree.ts';

const found = (path: string, text: string): string[] =>
  checkTidy(plant({ [path]: text })).map(({ line, rule }) => `${line} ${rule}`);

const headed = (text: string): string => `// What it is.\n${text}\n`;
const dot = '.';

describe('tidy', () => {
  it('is content with a good file', () => {
    expect(found('packages/domain/src/task.ts', headed('export const one = 1;'))).toEqual([]);
  });

  it.each([
    ['long file', 'packages/bus/src/a.ts', headed('const a = 1;\n'.repeat(400)), '401 length'],
    ['empty name', 'packages/bus/src/string-utils.ts', headed('const a = 1;'), '1 name'],
    ['empty folder name', 'packages/bus/src/common/a.ts', headed('const a = 1;'), '1 name'],
    ['clock', 'packages/domain/src/a.ts', headed('const a = Date.now();'), '2 pure'],
    ['date', 'packages/engine/src/a.ts', headed('const a = new Date();'), '2 pure'],
    ['chance', 'packages/engine/src/a.ts', headed('const a = Math.random();'), '2 pure'],
    ['settings', 'packages/engine/src/a.ts', headed('const a = process.env.A;'), '2 pure'],
    ['only', 'packages/bus/src/a.test.ts', headed(`it${dot}only('x', () => {});`), '2 focus'],
    ['skip', 'packages/bus/src/a.test.ts', headed(`describe${dot}skip('x', () => {});`), '2 focus'],
    ['todo', 'packages/bus/src/a.test.ts', headed(`test.concurrent${dot}todo('x');`), '2 focus'],
    ['shared hook', 'packages/bus/src/test-bus.ts', headed('afterEach(() => {});'), '2 hook'],
    ['index', 'packages/bus/src/index.ts', headed('export const a = 1;'), '1 barrel'],
    ['barrel', 'packages/bus/src/all.ts', headed("export * from './a.ts';"), '1 barrel'],
    ['no header', 'packages/bus/src/a.ts', 'const a = 1;\n', '1 header'],
    ['promise', 'packages/bus/src/a.ts', headed(`// TO${''}DO later`), '2 unfinished'],
    ['machine path', 'docs/guide.md', `see /root${'/'}notes/x`, '1 machine'],
    ['home path', 'packages/bus/src/a.ts', headed(`const a = '/home${'/'}zoe/x';`), '2 machine'],
    [
      'registry',
      'Dockerfile',
      `RUN npm --registry=https://registry${dot}example${dot}org`,
      '1 machine',
    ],
  ])('finds %s', (_, path, text, expected) => {
    expect(found(path, text)).toEqual([expected]);
  });

  it('does not mistake a comment, a string or a given date for the clock', () => {
    const text =
      "// Date.now() is not called\nexport const a = 'new Date()';\nexport const b = new Date(0);\n";
    expect(found('packages/domain/src/a.ts', text)).toEqual([]);
  });

  it('lets tests of pure rooms use the clock', () => {
    expect(found('packages/domain/src/a.test.ts', headed('const a = Date.now();'))).toEqual([]);
  });
});
