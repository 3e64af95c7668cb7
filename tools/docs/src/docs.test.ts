/** The reference is what the code says, and every variable that somebody reads is told of. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { settingTables } from '@makima/engine/settings';
import { errorCodes } from '@makima/domain/error';
import { blockerKinds } from '@makima/domain/why-blocker';
import { describe, expect, it } from 'vitest';
import { existing, filesBelow, readSource, root, sourcesBelow } from './checkout.ts';
import { fieldComments, variants } from './comments.ts';
import { brokenLinks } from './links.ts';
import { grouped, mendCommand, table } from './markdown.ts';
import { ordinaryNames, plainSettings } from './plain-settings.ts';
import { differences, generate } from './reference.ts';
import { processes } from './settings.ts';
import { missingHolders, requirements, titlesOf } from './requirements.ts';
import { typeText } from './type-text.ts';

describe('the reference', () => {
  it('is what the code says', async () => {
    const found = differences(await generate());
    expect(found, `${found.join('\n')}\n\nto mend it: ${mendCommand}\n`).toEqual([]);
  }, 60_000);

  it('holds nothing of the machine on which it was made', async () => {
    for (const { path, text } of await generate()) {
      expect(text.includes(root), path).toBe(false);
    }
  }, 60_000);
});

describe('asked tests', () => {
  it('are there, each by its title', () => {
    expect(requirements.length).toBeGreaterThanOrEqual(46);
    for (const { words, holders } of requirements) expect(holders, words).not.toEqual([]);
    expect(missingHolders(requirements)).toEqual([]);
  });

  it('are missed when none is called so', () => {
    const [row] = requirements;
    const holders = [{ file: row?.holders[0]?.file ?? '', title: 'it is not there' }];
    expect(missingHolders([{ task: 't', words: 'w', holders }])).toEqual(holders);
    const text = `it('a', f); describe.each([1])("b's", f); it.each(x)(\n  'c\\'d', f); say('e');`;
    expect([...titlesOf(text)]).toEqual(['a', "b's", "c'd"]);
  });
});

describe('documents', () => {
  it('name files that exist, in links and in code', () => {
    const pages = ['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md', 'GLOSSARY.md'].concat(
      filesBelow('docs'),
    );
    expect(pages.filter((path) => path.endsWith('.md')).flatMap(brokenLinks)).toEqual([]);
  });
});

describe('troubleshooting', () => {
  const page = readSource('docs/guide/troubleshooting.md');

  it('knows every error code', () => {
    expect(errorCodes.filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
  });

  it('knows every reason that why gives', () => {
    expect(blockerKinds.filter((kind) => !page.includes(`\`${kind}\``))).toEqual([]);
  });

  it('knows every check of doctor', () => {
    const told = filesBelow('tools/stack/src/doctor').flatMap((file) =>
      [...readSource(file).matchAll(/\b(?:pass|warn|fail)\(\s*'([a-z ]+)'/g)].map(
        (m) => m[1] ?? '',
      ),
    );
    expect(told.length).toBeGreaterThan(10);
    expect(told.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });
});

const everyName = new Set([
  ...plainSettings.flatMap(({ rows }) => rows.map(([name]) => name)),
  ...processes.flatMap(({ fields }) => fields.map(({ name }) => name)),
]);

describe('settings without a schema', () => {
  it.each(plainSettings)('of $title are all told', ({ sources, rows }) => {
    const read = new Set(sources.flatMap((source) => files(source)).flatMap(namesRead));
    const told = rows.map(([name]) => name);
    const missing = [...read].filter((name) => !everyName.has(name) && !ordinaryNames.has(name));
    expect(missing, 'add them to tools/docs/src/plain-settings.ts').toEqual([]);
    const gone = told.filter(
      (name) => !sources.flatMap(files).some((file) => readSource(file).includes(name)),
    );
    expect(gone, 'nobody reads these any more').toEqual([]);
  });
});

describe('the settings of services', () => {
  it('stand in the environment or in the file: each of makima’s own has a key, and each key a meaning', () => {
    const services = processes.filter(({ title }) => title !== 'daemon');
    const told = services.flatMap(({ fields }) => fields.map(({ name }) => name));
    const inFile = Object.values(settingTables).flatMap((keys) => [...keys.values()]);
    expect(inFile.filter((name) => !told.includes(name))).toEqual([]);
    expect(inFile.length).toBe(new Set(inFile).size);
    const own = told.filter((name) => name.startsWith('MAKIMA_') && !inFile.includes(name));
    // Where the file is, and what never stands in production.
    expect(own.toSorted()).toEqual(['MAKIMA_CONFIG_FILE', 'MAKIMA_RACE']);
  });
});

describe('type texts', () => {
  it.each([
    [{ type: 'string', format: 'uuid' }, 'uuid'],
    [{ type: 'string', minLength: 1, maxLength: 200 }, 'text ≤ 200'],
    [{ type: 'integer', exclusiveMinimum: 0, maximum: Number.MAX_SAFE_INTEGER }, 'int ≥ 1'],
    [{ anyOf: [{ enum: ['a', 'b'] }, { type: 'null' }] }, 'a | b | null'],
    [{ type: 'array', items: { $ref: '#/$defs/Report' }, minItems: 1 }, '[Report] ≥ 1'],
    [
      { type: 'object', properties: { a: { type: 'boolean' }, b: {} }, required: ['b'] },
      '{a?: yes/no, b: any}',
    ],
  ])('%j is %s', (schema, text) => {
    expect(typeText(schema)).toBe(text);
  });
});

describe('comments', () => {
  const source = `z.discriminatedUnion('kind', [
    /** Ends it. */
    z.strictObject({ kind: z.literal('task.stop'), ...fence,
      /** How long
       *  it may take. */
      graceMs: z.int() }),
    z.strictObject({ kind: z.literal('task.diff'), other: z.int() }),
  ]);`;

  it('belong to the variant and to the field that they stand before', () => {
    const found = variants(source, 'kind');
    expect(found.get('task.stop')?.comment).toBe('Ends it.');
    expect(found.get('task.diff')?.comment).toBe('');
    expect(fieldComments(found.get('task.stop')?.body ?? '')).toEqual(
      new Map([['graceMs', 'How long it may take.']]),
    );
  });
});

describe('tables', () => {
  it('hold any text', () => {
    expect(table(['a'], [['x | y\n z']])).toBe('| a |\n|---|\n| x \\| y z |');
    expect(grouped(1_048_576)).toBe('1 048 576');
  });
});

function files(source: string): string[] {
  if (existing(source) === undefined) throw new Error(`there is no ${source} any more`);
  return statSync(join(root, source)).isDirectory() ? sourcesBelow(source) : [source];
}

/** In TypeScript what is read from an environment, in compose files what is filled in. */
function namesRead(file: string): string[] {
  const pattern = file.endsWith('.ts')
    ? /\benv(?:ironment)?(?:\.|\[')([A-Z][A-Z0-9_]+)\b/g
    : /\$\{([A-Z][A-Z0-9_]+)/g;
  return [...readSource(file).matchAll(pattern)].map(([, name = '']) => name);
}
