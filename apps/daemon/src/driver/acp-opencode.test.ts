/** The real opencode passes the suite, against a model of ours on loopback. */
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchOpencode } from '@makima/mock-model/fetch-agents';
import type { Scripts } from '@makima/mock-model/reply';
import { startMockModel } from '@makima/mock-model/server';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { opencodeProfile } from './acp-opencode.ts';
import { acpDriver } from './acp.ts';
import type { Candidate } from './conformance-stage.ts';
import { git, onStage, said } from './conformance-stage.ts';
import { driverConformance } from './conformance.ts';
import type { AgentDriver } from './driver.ts';
import type { ToolForms } from './test-model.ts';
import { conformanceScripts, scriptPrompt } from './test-model.ts';

// It takes a second and a half of processor time to begin.
const startMs = 60_000;
vi.setConfig({ testTimeout: 120_000 });

const program = await fetchOpencode();

const forms: ToolForms = {
  shell: (command) => ({ name: 'bash', input: { command, description: 'A command' } }),
  echo: (value) => ({ name: 'makima_makima_echo', input: { value } }),
  ask: (question, options) => ({ name: 'question', input: { questions: [{ question, options }] } }),
};

const quota = { status: 429, type: 'quota', message: 'You exceeded your current quota.' };
const scripts: Scripts = {
  ...conformanceScripts(forms),
  limited: [{ error: { ...quota, retryAfterSeconds: 3600 } }],
};

const model = await startMockModel({ scripts });
const scratch = mkdtempSync(join(tmpdir(), 'makima-opencode-'));
afterAll(async () => {
  await model.close();
  rmSync(scratch, { recursive: true, force: true });
});

/** It reads the catalog of every model on the market for each session; the one asked here is in no catalog. */
const catalog = join(scratch, 'models.json');
writeFileSync(catalog, '{}');

const settings = {
  provider: {
    mock: {
      npm: '@ai-sdk/openai-compatible',
      name: 'Mock',
      options: { baseURL: `${model.url}/v1`, apiKey: 'test' },
      models: { m: { name: 'm', tool_call: true, limit: { context: 200_000, output: 8_000 } } },
    },
  },
  enabled_providers: ['mock'],
  model: 'mock/m',
  small_model: 'mock/m',
};

function driverIn(home: string, port?: () => Promise<number>): AgentDriver {
  mkdirSync(join(home, '.config', 'opencode'), { recursive: true });
  const path = join(home, '.config', 'opencode', 'opencode.jsonc');
  writeFileSync(path, `// The person's own.\n${JSON.stringify(settings)}`);
  return acpDriver({
    profile: opencodeProfile({ program, ...(port === undefined ? {} : { port }) }),
    sessionsDir: join(home, 'sessions'),
    retry: { max: 1, firstMs: 20, mostMs: 20 },
    environment: {
      PATH: process.env.PATH,
      HOME: home,
      DATABASE_URL: 'postgres://hunter2@x/y',
      MAKIMA_SECRET: 'hunter2',
    },
  });
}

const candidate: Candidate = {
  name: 'opencode',
  startMs,
  // A run is over before code is hot: its runtime compiles for nothing, on every processor there is.
  environment: {
    OPENCODE_MODELS_PATH: catalog,
    BUN_JSC_useDFGJIT: '0',
    BUN_JSC_useConcurrentGC: '0',
    BUN_JSC_numberOfGCMarkers: '1',
  },
  faults: scriptPrompt,
  open: (home) => ({ driver: driverIn(home), prompt: scriptPrompt }),
  // Of a model whose price it does not know it says 0.
  hello: {
    tokens: { input: 1200, output: 50, cacheRead: 0, cacheWrite: 0 },
    costUsd: 0,
  },
  limited: (home) => ({ driver: driverIn(home), prompt: scriptPrompt('limited') }),
  snare(repo) {
    const command = ['touch', join(repo, 'snared')];
    const theirs = { mcp: { theirs: { type: 'local', command, enabled: true } } };
    writeFileSync(join(repo, 'opencode.json'), JSON.stringify(theirs));
    git(repo, 'add', '-A');
    git(repo, 'commit', '-q', '-m', 'settings');
  },
};

driverConformance(candidate);

describe('opencode’s own ways', () => {
  it('takes the person’s providers and nothing else of theirs, and locks its server', () =>
    onStage(candidate, async ({ start, subject, repo, root }) => {
      const driver = driverIn(join(root, 'home-here'));
      const config = join(root, 'home-here', '.config');
      const theirs = {
        ...settings,
        instructions: ['theirs.md'],
        mcp: { theirs: { type: 'local', command: ['touch', join(repo, 'snared')] } },
      };
      writeFileSync(join(config, 'opencode', 'opencode.jsonc'), JSON.stringify(theirs));
      mkdirSync(join(config, 'git'));
      writeFileSync(join(config, 'git', 'config'), '[makima]\n\tword = teal\n');
      const systemAppend = 'Speak of teal.';
      const agent = await start({
        driver,
        systemAppend,
        prompt: said(subject.prompt('environment')),
      });
      await agent.until('turn_end', ({ outcome }) => outcome === 'completed');
      expect(existsSync(join(repo, 'snared'))).toBe(false);
      const seen = readFileSync(join(repo, 'env.txt'), 'utf8');
      const folder = /^XDG_CONFIG_HOME=(.*)$/m.exec(seen)?.[1] ?? '';
      // Other programs of the person's find their settings.
      expect(readFileSync(join(folder, 'git', 'config'), 'utf8')).toContain('teal');
      const told =
        model.log
          .at(-1)
          ?.request.messages.map(({ text }) => text)
          .join('\n') ?? '';
      expect(told).toContain('Speak of teal.');
      // It has fetched nothing.
      expect(readdirSync(join(folder, 'opencode', 'node_modules'))).toEqual([]);
      const port = portOf(agent.session.pid);
      expect((await fetch(`http://127.0.0.1:${port}/session`)).status).toBe(401);
    }));

  it('never takes from a repository where the model is, though it is trusted', () =>
    onStage(candidate, async ({ start, subject, repo }) => {
      candidate.snare?.(repo);
      const options = { baseURL: 'http://127.0.0.1:9/v1' };
      mkdirSync(join(repo, '.opencode'));
      const path = join(repo, '.opencode', 'opencode.jsonc');
      writeFileSync(path, JSON.stringify({ provider: { mock: { options } } }));
      const agent = await start({ trusted: true, prompt: said(subject.prompt('hello')) });
      await agent.until('turn_end', ({ outcome }) => outcome === 'completed');
      await agent.until('log', ({ line }) => line.includes('say where the model is'));
      expect(existsSync(join(repo, 'snared'))).toBe(false);
    }));

  it('begins again when somebody took its port meanwhile', () =>
    onStage(candidate, async ({ start, subject, root }) => {
      const taken = createServer();
      taken.listen(0, '127.0.0.1');
      await once(taken, 'listening');
      const free = createServer();
      free.listen(0, '127.0.0.1');
      await once(free, 'listening');
      const ports = [taken, free].map((server) => (server.address() as AddressInfo).port);
      free.close();
      await once(free, 'close');
      const driver = driverIn(join(root, 'home-here'), async () => ports.shift() ?? 0);
      const agent = await start({ driver, prompt: said(subject.prompt('hello')) });
      await agent.until('turn_end', ({ outcome }) => outcome === 'completed');
      expect(ports).toEqual([]);
      taken.close();
    }));

  it('may only read where it plans', () =>
    onStage(candidate, async ({ start, subject, repo }) => {
      const agent = await start({ permission: 'plan', prompt: said(subject.prompt('commit')) });
      await agent.until('turn_end');
      expect(agent.of('tool_end').filter((tool) => tool.ok)).toEqual([]);
      expect(git(repo, 'log', '--format=%s')).toBe('start');
    }));

  it('is looked for, and what is missing is said', async () => {
    const absent = await opencodeProfile({}).probe({ PATH: '/nowhere', HOME: '/nowhere' });
    expect(absent).toMatchObject({ path: null, signedIn: null });
    expect(absent.problem).toBe(
      'opencode was not found on PATH. Install it, then run "opencode auth login".',
    );
  });
});

/** The port that it was told to listen on. */
function portOf(pid: number): string {
  const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  return words[words.indexOf('--port') + 1] ?? '';
}
