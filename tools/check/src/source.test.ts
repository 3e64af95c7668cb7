// Code, comments and strings are told apart, or every rule would cry wolf.
import { describe, expect, it } from 'vitest';
import { importsOf, maskSource } from './source.ts';

const imports = (text: string): string[] =>
  importsOf(maskSource(text)).map(({ specifier, line }) => `${line} ${specifier}`);

describe('importsOf', () => {
  it('finds every kind of import with its line', () => {
    const text = [
      "import a from './a.ts';",
      "import type { B } from './b.ts';",
      'import {',
      '  c,',
      "} from './c.ts';",
      "import './d.ts';",
      "export * from './e.ts';",
      "export { f } from './f.ts';",
      "const g = await import('./g.ts');",
    ].join('\n');
    expect(imports(text)).toEqual([
      '1 ./a.ts',
      '2 ./b.ts',
      '3 ./c.ts',
      '6 ./d.ts',
      '7 ./e.ts',
      '8 ./f.ts',
      '9 ./g.ts',
    ]);
  });

  it('takes nothing from comments, strings and regular expressions', () => {
    const text = [
      "// import a from './a.ts';",
      "/* import b from './b.ts'; */",
      'const c = "import c from \'./c.ts\'";',
      "const d = `import d from './d.ts' ${'x'} import e from './e.ts'`;",
      "const f = /import f from '.\\/f.ts'/;",
      'export const g = 1;',
      "const h = { from: './h.ts' };",
    ].join('\n');
    expect(imports(text)).toEqual([]);
  });
});

describe('maskSource', () => {
  it('finds its way through templates, quotes and slashes', () => {
    const text = 'a(`x ${b({ c: `y` })} // z`); d = e / f; g = /["\'`]/.test("//"); // end';
    const { code, comments } = maskSource(text);
    expect(code.replace(/\s+/g, ' ').trim()).toBe(
      'a(` ${b({ c: ` ` })} `); d = e / f; g = / /.test(" ");',
    );
    expect(comments.trim()).toBe('// end');
    expect(code).toHaveLength(text.length);
  });
});
