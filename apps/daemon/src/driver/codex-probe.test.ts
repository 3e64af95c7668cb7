/** What a machine has of Codex, told without starting it, as different machines would. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { codexDriver } from './codex.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describe('the probe of Codex', () => {
  const environment = { PATH: '/nowhere', HOME: '/nowhere' };
  interface Machine {
    readonly program?: string;
    readonly settings?: string;
    readonly env?: NodeJS.ProcessEnv;
  }
  const probe = (more: Machine) => {
    const home = mkdtempSync(join(tmpdir(), 'makima-probe-'));
    folders.push(home);
    mkdirSync(join(home, '.codex'));
    if (more.settings !== undefined)
      writeFileSync(join(home, '.codex', 'config.toml'), more.settings);
    const path = join(home, 'codex');
    if (more.program !== undefined)
      writeFileSync(path, `#!/bin/sh\n${more.program}\n`, { mode: 0o755 });
    return codexDriver({
      program: path,
      sessionsDir: home,
      environment: { ...environment, PATH: process.env.PATH, HOME: home, ...more.env },
    }).probe();
  };
  const here = 'echo codex-cli 0.169.3';
  const elsewhere =
    'model_provider = "theirs"\n[model_providers.theirs]\nname = "theirs"\nenv_key = "MOCK_KEY"\n';

  interface Expected {
    readonly path?: null;
    readonly version?: string | null;
    readonly tested?: boolean;
    readonly signedIn?: boolean | null;
    /** Null: none. */
    readonly problem?: RegExp | null;
  }

  it.each<[Machine, Expected]>([
    [{}, { path: null, version: null, problem: /was not found at .*codex login/ }],
    [{ program: 'exit 3' }, { version: null, problem: /--version failed/ }],
    [
      { program: here },
      { version: '0.169.3', tested: true, signedIn: false, problem: /codex login/ },
    ],
    [{ program: 'echo codex-cli 0.170.0' }, { version: '0.170.0', tested: false }],
    [
      { program: here, settings: 'model = ' },
      { signedIn: null, problem: /config.toml cannot be read/ },
    ],
    [
      { program: here, settings: 'cli_auth_credentials_store = "keyring"' },
      { signedIn: false, problem: /keychain/ },
    ],
    [
      { program: here, settings: elsewhere },
      { signedIn: false, problem: /Set MOCK_KEY/ },
    ],
    [
      { program: here, settings: elsewhere, env: { MOCK_KEY: 'x' } },
      { signedIn: true, problem: null },
    ],
  ])('says what is missing and how to mend it: %j', async (machine, { problem, ...expected }) => {
    const found = await probe(machine);
    expect(found).toMatchObject({ kind: 'codex', ...expected });
    if (problem === null) expect(found.problem).toBeNull();
    else if (problem !== undefined) expect(found.problem).toMatch(problem);
  });
});
