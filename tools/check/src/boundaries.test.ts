// Every refusal of the boundary check, planted and found.
import { describe, expect, it } from 'vitest';
import { checkBoundaries } from './boundaries.ts';
import { plant } from './test-tree.ts';

const refusals = (files: Readonly<Record<string, string>>): string[] =>
  checkBoundaries(plant(files)).map(
    ({ path, line, rule, message }) => `${path}:${line} ${rule} ${message}`,
  );

const engine = 'packages/engine/src/task/spawn.ts';
const job = 'services/scheduler/src/jobs/spawn-task.ts';

describe('floors', () => {
  it('lets imports go down', () => {
    expect(
      refusals({
        [engine]: "import { a } from '@makima/db/tx';\nimport { b } from '@makima/domain/task';",
        [job]:
          "import { c } from '@makima/engine/task/spawn';\nimport { d } from '@makima/bus/workers';",
        'services/scheduler/src/main.ts': "import { e } from '@makima/db/client';",
        'packages/wire/src/wire.ts': "import { f } from '@makima/db/client';",
        'apps/daemon/src/main.ts': "import { g } from '@makima/runtime/log';",
      }),
    ).toEqual([]);
  });

  it.each([
    ['packages/domain/src/task.ts', '@makima/contracts/ids', 'import up, from floor 1 to floor 2'],
    [engine, '@makima/api/app', 'import up, from floor 4 to floor 6'],
    [job, '@makima/restorer/jobs/x', 'import sideways on floor 6'],
    ['packages/db/src/tx.ts', '@makima/bus/queues', 'import sideways on floor 3'],
    ['packages/runtime/src/log.ts', '@makima/domain/error', 'import sideways on floor 1'],
    [engine, '@makima/bus/queues', 'must not import bus'],
    ['apps/cli/src/main.ts', '@makima/db/client', 'must not import db'],
    [job, '@makima/db/client', 'src/main.ts only'],
    [engine, '@makima/wire/wire', 'import up, from floor 4 to floor 5'],
    [engine, '@makima/stack/test-stores', 'outside the floors'],
    [job, 'ioredis', 'must not import ioredis'],
    [job, 'bullmq', 'must not import bullmq'],
    ['services/api/src/main.ts', 'drizzle-orm/postgres-js', 'must not import drizzle-orm'],
    [engine, 'hono', 'must not import hono'],
    ['packages/contracts/src/ids.ts', 'node:crypto', 'nothing of Node'],
    ['packages/domain/src/task.ts', 'zod', 'no package at all'],
    ['packages/runtime/src/log.ts', 'ws', 'pino, prom-client, smol-toml, zod, not ws'],
    [job, '../../../api/src/app.ts', 'leaves services/scheduler'],
  ])('refuses in %s the import of %s', (path, specifier, reason) => {
    const [refusal, ...others] = refusals({ [path]: `\nimport { x } from '${specifier}';` });
    expect(refusal).toContain(`${path}:2 boundary`);
    expect(refusal).toContain(reason);
    expect(others).toEqual([]);
  });

  it('leaves tests alone', () => {
    const path = 'packages/engine/src/task/spawn.test.ts';
    expect(refusals({ [path]: "import { x } from '@makima/stack/test-stores';" })).toEqual([]);
  });

  it('holds the dependency lists to the same table', () => {
    const manifest =
      '{\n "dependencies": {\n  "@makima/bus": "workspace:*",\n  "ioredis": "catalog:"\n }\n}';
    expect(refusals({ 'packages/engine/package.json': manifest })).toEqual([
      expect.stringContaining(
        'package.json:3 boundary packages/engine must not depend on @makima/bus',
      ),
      expect.stringContaining('package.json:4 boundary packages/engine must not depend on ioredis'),
    ]);
  });
});

describe('circles', () => {
  it('are told once, with the way round', () => {
    const files = {
      'packages/bus/src/a.ts': "import { b } from './b.ts';",
      'packages/bus/src/b.ts': "\nimport type { c } from '@makima/bus/deep/c';",
      'packages/bus/src/deep/c.ts': "import { a } from '../a.ts';",
    };
    expect(refusals(files)).toEqual([
      expect.stringContaining(
        'deep/c.ts:1 circle imports in a circle: packages/bus/src/a.ts -> packages/bus/src/b.ts -> packages/bus/src/deep/c.ts -> packages/bus/src/a.ts',
      ),
    ]);
  });
});

describe('environment', () => {
  it('is read in entry files, tools and tests only', () => {
    const text = '// process.env is fine here\nconst a = process.env.A;';
    const paths = ['tools/x/src/y.ts', 'tests/e2e/y.test.ts', 'services/api/src/main.ts'];
    expect(refusals(Object.fromEntries(paths.map((path) => [path, text])))).toEqual([]);
    expect(refusals({ 'services/api/src/app.ts': text })).toEqual([
      expect.stringContaining('services/api/src/app.ts:2 environment'),
    ]);
  });
});
