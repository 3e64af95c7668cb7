/** The `makima` of agents: it runs with the token of a run and with no other key, whatever lies around. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createLog } from '@makima/runtime/log';
import { withMakima } from './agent-path.ts';

const run = promisify(execFile);
const log = createLog({ service: 'daemon', level: 'fatal' });
const door = 'http://127.0.0.1:9/mcp';

let dir: string;
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), "makima agent's "))));
afterEach(() => rm(dir, { recursive: true, force: true }));

/** A command line that tells how it was called. */
async function made(): Promise<NodeJS.ProcessEnv> {
  const cliPath = join(dir, 'cli.mjs');
  await writeFile(
    cliPath,
    'console.log(JSON.stringify([process.env.MAKIMA_TOKEN, process.argv.slice(2)]))',
  );
  const environment = { PATH: process.env['PATH'] ?? '' };
  return withMakima({ cliPath, environment }, { bin: join(dir, 'bin') }, log);
}

it('is first on their PATH, with the words as they were typed', async () => {
  const env = { ...(await made()), MAKIMA_TOKEN: 'mkrun_x', MAKIMA_URL: door };
  const { stdout } = await run('makima', ['supervisor', "it's $HOME *"], { env });
  expect(JSON.parse(stdout)).toEqual(['mkrun_x', ['supervisor', "it's $HOME *"]]);
});

it.each([
  ['no token', { MAKIMA_URL: door }],
  ['an empty one', { MAKIMA_URL: door, MAKIMA_TOKEN: '' }],
  ['a person’s', { MAKIMA_URL: door, MAKIMA_TOKEN: 'mk_person_key' }],
  ['no door', { MAKIMA_TOKEN: 'mkrun_x' }],
])('with %s it does nothing: it never goes on with the key of a person', async (_, given) => {
  const env = { ...(await made()), ...given };
  await expect(run('makima', ['answer', 'x', 'Allow'], { env })).rejects.toMatchObject({
    code: 4,
    stdout: '',
    stderr: expect.stringContaining('MAKIMA_TOKEN'),
  });
});

it('is not there without a command line beside the daemon', async () => {
  const environment = { PATH: '/bin' };
  const config = { cliPath: join(dir, 'none.mjs'), environment };
  expect(await withMakima(config, { bin: join(dir, 'bin') }, log)).toBe(environment);
});
