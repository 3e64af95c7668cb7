/** Scripts as people write them: what is taken, what is refused, where they are found. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseScript } from './script.ts';
import { selectScript } from './select.ts';
import { verbNames, shapeOf } from './verbs.ts';

const parse = (text: string) => parseScript(text, 'test');

describe('parseScript', () => {
  it('knows short and long forms, bare words, names and blocks', () => {
    const script = parse(`
name: all of it
steps:
  - say: hello
  - say: { text: hello }
  - run: [git, status]
    as: status
  - hang
  - crash: { once: false }
  - say: only then
    if: { equals: ['\${status.code}', 0] }
    allow_failure: true
  - repeat: 2
    steps:
      - sleep: 1
  - when: '\${status}'
    steps: [done]
    else: [{ done: no }]
on_message:
  - say: heard
`);
    expect(script.name).toBe('all of it');
    expect(script.onMessage).toHaveLength(1);
    expect(script.steps[0]).toEqual(script.steps[1]);
    expect(script.steps[2]).toMatchObject({
      verb: 'run',
      as: 'status',
      args: { args: ['git', 'status'] },
    });
    expect(script.steps[3]).toMatchObject({ verb: 'hang', args: {} });
    expect(script.steps[5]).toMatchObject({
      verb: 'when',
      args: { equals: ['${status.code}', 0] },
      body: [{ verb: 'say', allowFailure: true }],
    });
    expect(script.steps[6]).toMatchObject({ verb: 'repeat', args: { times: 2 } });
    expect(script.steps[7]).toMatchObject({
      args: { value: '${status}' },
      otherwise: [{ verb: 'done' }],
    });
  });

  it('may be a bare list', () => {
    expect(parse('- say: hi').steps).toHaveLength(1);
  });

  it.each([
    ['steps: [{ sya: hi }]', 'steps[0]: needs exactly one of say'],
    ['steps: [{ say: hi, run: [ls] }]', 'got say, run'],
    ['steps: [{}]', 'got none'],
    ['steps: [3]', 'got none'],
    ['steps: [{ write: { file: a } }]', 'steps[0].write: needs "content"'],
    ['steps: [{ write: { file: a, content: b, mode: 7 } }]', 'does not know "mode"'],
    ['steps: [{ write: a }]', 'must be a map with file, content'],
    ['steps: [{ when: { eqals: [1, 1] }, steps: [] }]', 'does not know "eqals"'],
    ['steps: [{ repeat: 2 }]', 'steps[0].steps: must be a list'],
    ['steps: [{ say: hi, steps: [] }]', 'only "repeat" and "when"'],
    ['steps: [{ say: hi, as: "not a name" }]', '"as" must be'],
    ['steps: { say: hi }', 'needs a list under "steps"'],
    ['step: []', 'does not know "step"'],
    ['just words', 'needs a list under "steps"'],
    ['steps: [', 'is not YAML'],
  ])('refuses %s and says why', (text, why) => {
    expect(() => parse(text)).toThrow(why);
  });

  it('has bounds', () => {
    const deep = (n: number): string => (n === 0 ? '[]' : `[{ repeat: 1, steps: ${deep(n - 1)} }]`);
    expect(() => parse(`steps: ${deep(20)}`)).not.toThrow();
    expect(() => parse(`steps: ${deep(22)}`)).toThrow('nests deeper');
    expect(() => parse(`steps: [${Array(2001).fill('hang').join(', ')}]`)).toThrow(
      'more than 2000',
    );
  });

  it('takes every verb of the table', () => {
    for (const verb of verbNames) {
      const { required } = shapeOf(verb);
      const args = Object.fromEntries(required.map((key) => [key, 'x']));
      const block = verb === 'repeat' || verb === 'when' ? { steps: [] } : {};
      expect(parse(JSON.stringify({ steps: [{ [verb]: args, ...block }] })).steps).toMatchObject([
        { verb },
      ]);
    }
  });
});

describe('selectScript', () => {
  let cwd: string;
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'makima-script '));
    mkdirSync(join(cwd, '.makima', 'scripts'), { recursive: true });
    writeFileSync(join(cwd, '.makima', 'scripts', 'mine.yaml'), 'mine');
    writeFileSync(join(cwd, 'env.yaml'), 'env');
  });
  afterEach(() => rmSync(cwd, { recursive: true }));

  const select = (prompt: string, scriptPath?: string) =>
    selectScript({ prompt, cwd, scriptPath }).text;

  it('takes a fenced block of the prompt first, whatever its fence and indent', () => {
    const block = '```makima-script\nsteps: []\n```';
    expect(select(`Do it.\n${block}\nscript: mine`, join(cwd, 'env.yaml'))).toBe('steps: []\n');
    const inner = '````makima-script\n- say: |\n    ```\n    code\n    ```\n````';
    expect(select(inner)).toBe('- say: |\n    ```\n    code\n    ```\n');
    expect(select('- x\n  ~~~makima-script\n  - hang\n  ~~~')).toBe('- hang\n');
  });

  it('says of a block that is not closed that it is not, and takes nothing in its place', () => {
    const notClosed = /begins a script and does not end it\. Close the block with a line "```"/;
    expect(() => select('```makima-script\n- hang\n', join(cwd, 'env.yaml'))).toThrow(notClosed);
    expect(() => select('```makima-script\n- hang\n  ```\nscript: mine')).toThrow(notClosed);
  });

  it('takes a named one from the repository, then from the box', () => {
    expect(select('Please\n  script: mine  \nnow')).toBe('mine');
    expect(select('script: hello')).toContain('steps:');
    expect(() => select('script: nowhere')).toThrow(
      /nowhere: not found; looked for .*nowhere\.yaml/,
    );
    expect(() => select('script: ../../etc/passwd')).toThrow('holds no script');
  });

  it('takes the one of the environment last', () => {
    expect(select('No script here.', join(cwd, 'env.yaml'))).toBe('env');
    expect(() => select('', 'relative.yaml')).toThrow('absolute path');
    expect(() => select('', join(cwd, 'gone.yaml'))).toThrow('cannot be read');
    expect(() => select('Nothing.')).toThrow('holds no script. Write a fenced block');
  });
});

describe('the scripts in the box', () => {
  const box = fileURLToPath(new URL('../../scripts/', import.meta.url));
  it.each(readdirSync(box))('%s can be read and says what it is', (file) => {
    const text = readFileSync(join(box, file), 'utf8');
    const script = parseScript(text, file);
    expect(script.name).toBe(file.replace('.yaml', ''));
    expect(text).toMatch(/^# /);
    // What it gives to a task that it spawns is a script as well.
    for (const { verb, args } of script.steps) {
      if (verb !== 'spawn') continue;
      expect(() => parseScript(JSON.stringify({ steps: args.steps }), 'spawned')).not.toThrow();
    }
  });
});
