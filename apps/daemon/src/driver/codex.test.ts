/** The real Codex passes the suite, against a model of ours on loopback. */
import { randomUUID } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fetchCodex } from '@makima/mock-model/fetch-agents';
import type { Scripts } from '@makima/mock-model/reply';
import { startMockModel } from '@makima/mock-model/server';
import { stringify } from 'smol-toml';
import { afterAll, describe, expect, it } from 'vitest';
import { codexDriver } from './codex.ts';
import type { Candidate, Watched } from './conformance-stage.ts';
import { appears, git, onStage, reasonOf, said } from './conformance-stage.ts';
import { driverConformance } from './conformance.ts';
import type { AgentDriver } from './driver.ts';
import { processesOfRuns } from './process-table.ts';
import type { ToolForms } from './test-model.ts';
import { conformanceScripts, scriptPrompt } from './test-model.ts';

const program = await fetchCodex();

const forms: ToolForms = {
  shell: (cmd) => ({ name: 'exec_command', input: { cmd } }),
  echo: (value) => ({ name: 'mcp__makima__makima_echo', input: { value } }),
  ask: (question, labels) => ({
    name: 'request_user_input',
    input: {
      questions: [
        {
          id: 'database',
          header: 'DB',
          question,
          options: labels.map((label) => ({ label, description: `It is ${label}` })),
        },
      ],
    },
  }),
};

const resetsAt = Math.floor(Date.now() / 1000) + 3600;

const scripts: Scripts = {
  ...conformanceScripts(forms),
  long: [{ tools: [forms.shell('seq 1 2000')] }, { text: 'Counted.' }],
  limited: [
    {
      error: {
        status: 429,
        type: 'usage_limit_reached',
        message: 'The usage limit has been reached',
        more: { plan_type: 'plus', resets_at: resetsAt },
      },
      headers: {
        'x-codex-primary-used-percent': '100',
        'x-codex-primary-window-minutes': '300',
        'x-codex-primary-reset-at': String(resetsAt),
      },
    },
  ],
};

const model = await startMockModel({ scripts });
afterAll(() => model.close());

const chosenOf = (url: string) => ({
  model: 'gpt-5.3-codex',
  model_provider: 'mock',
  model_providers: {
    mock: {
      name: 'mock',
      base_url: `${url}/v1`,
      env_key: 'MOCK_KEY',
      wire_api: 'responses',
      request_max_retries: 0,
      stream_max_retries: 1,
    },
  },
});
const chosen = chosenOf(model.url);

/** A person's home of Codex, in which they have chosen our model. */
function driverIn(home: string, settings: Record<string, unknown> = chosen): AgentDriver {
  const codexHome = join(home, '.codex');
  mkdirSync(codexHome, { recursive: true });
  writeFileSync(join(codexHome, 'config.toml'), stringify(settings));
  return codexDriver({
    program,
    sessionsDir: join(home, 'sessions'),
    environment: {
      PATH: process.env.PATH,
      HOME: home,
      MOCK_KEY: 'hunter2',
      DATABASE_URL: 'postgres://hunter2@x/y',
      MAKIMA_SECRET: 'hunter2',
    },
  });
}

const receipts = (agent: Watched, messageId: string) =>
  agent
    .of('message')
    .filter(({ id }) => id === messageId)
    .map(({ state }) => state);

const commandOfProcess = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
};

const candidate: Candidate = {
  name: 'codex',
  faults: scriptPrompt,
  open: (home) => ({ driver: driverIn(home), prompt: scriptPrompt }),
  hello: {
    tokens: { input: 1000, output: 50, cacheRead: 200, cacheWrite: 0 },
    costUsd: null,
  },
  limited: (home) => ({ driver: driverIn(home), prompt: scriptPrompt('limited') }),
  snare(repo) {
    mkdirSync(join(repo, '.codex'));
    const theirs = { command: 'sh', args: ['-c', `touch '${repo}/snared'; exit 1`] };
    const settings = stringify({ mcp_servers: { theirs } });
    writeFileSync(join(repo, '.codex', 'config.toml'), settings);
    git(repo, 'add', '-A');
    git(repo, 'commit', '-q', '-m', 'settings');
  },
};

driverConformance(candidate);

describe('Codex’s own ways', () => {
  it('runs a message once that was handed over twice around a crash, here and elsewhere', () =>
    onStage(candidate, async (stage) => {
      const { start, subject, repo, elsewhere } = stage;
      const first = await start({ prompt: said(subject.prompt('wait')) });
      await appears(join(repo, 'started'));
      const unread = said('nobody has read this');
      await first.session.send(unread);
      process.kill(first.session.pid, 'SIGKILL');
      await first.until('exit');
      expect(receipts(first, unread.id)).toEqual(['queued']);

      // Never read, so it is run; then it stands in the conversation.
      const second = await start({ mode: 'resume', attempt: 2, prompt: unread });
      await second.until('message', ({ id, state }) => id === unread.id && state === 'done');
      process.kill(second.session.pid, 'SIGKILL');
      await second.until('exit');
      const transcript = [...first.of('transcript'), ...second.of('transcript')].reduce<
        readonly string[]
      >((all, { lines, replace }) => (replace ? lines : [...all, ...lines]), []);

      const there = elsewhere();
      const { driver } = there.subject;
      const moved = { driver, cwd: there.repo, mode: 'resume' as const, attempt: 3, transcript };
      const third = await start({ ...moved, prompt: unread });
      await third.until('message', ({ id, state }) => id === unread.id && state === 'done');
      const other = said('but this is new');
      await third.session.send(other);
      await third.until('message', ({ id, state }) => id === other.id && state === 'done');
      expect(third.of('turn_end')).toHaveLength(1);
    }));

  it('reads in the next turn what it had taken and not read when it was broken off', () =>
    onStage(candidate, async ({ start, subject, repo }) => {
      const agent = await start({ prompt: said(subject.prompt('wait')) });
      await appears(join(repo, 'started'));
      const message = said('the grass is green');
      await agent.session.send(message);
      expect(await agent.session.interrupt()).toBe(true);
      await agent.until('message', ({ id, state }) => id === message.id && state === 'done');
      expect(receipts(agent, message.id)).toEqual(['queued', 'delivered', 'done']);
      expect(agent.said().split('the grass is green')).toHaveLength(2);
      expect(agent.of('turn_end').map(({ outcome }) => outcome)).toEqual([
        'interrupted',
        'completed',
      ]);
      // Codex lets go on what an interrupted turn ran.
      const commands = processesOfRuns(new Set([agent.session.runId]));
      expect(commands.filter(({ pid }) => commandOfProcess(pid).includes('touch started'))).toEqual(
        [],
      );
    }));

  it('works with the person’s sign-in, and leaves their home as it was', () =>
    onStage(candidate, async ({ start, root }) => {
      const codexHome = join(root, 'home-here', '.codex');
      const driver = driverIn(join(root, 'home-here'), { openai_base_url: `${model.url}/v1` });
      const missing = await driver.probe();
      expect(missing).toMatchObject({
        signedIn: false,
        problem: expect.stringContaining('codex login') as string,
      });
      const hello = said(scriptPrompt('hello'));
      const refused = start({ driver, prompt: hello });
      expect(await reasonOf(refused)).toBe('not_signed_in');

      const signIn = JSON.stringify({ auth_mode: 'apikey', OPENAI_API_KEY: 'sk-hunter2' });
      writeFileSync(join(codexHome, 'auth.json'), signIn);
      const before = readdirSync(codexHome, { recursive: true });
      expect(await driver.probe()).toMatchObject({ signedIn: true, problem: null });
      const agent = await start({ driver, prompt: hello });
      expect(await agent.until('turn_end')).toMatchObject({ outcome: 'completed' });
      await agent.session.stop({ graceMs: 6000 });
      expect(readdirSync(codexHome, { recursive: true })).toEqual(before);
      expect(readFileSync(join(codexHome, 'auth.json'), 'utf8')).toBe(signIn);
    }));

  it('takes nothing of the person’s settings but the choice of their model', () =>
    onStage(candidate, async ({ start, root, repo }) => {
      const theirs = { command: 'sh', args: ['-c', `touch '${repo}/theirs'; exit 1`] };
      const driver = driverIn(join(root, 'home-here'), {
        ...chosen,
        mcp_servers: { theirs },
        notify: ['touch', join(repo, 'notified')],
      });
      writeFileSync(join(root, 'home-here', '.codex', 'AGENTS.md'), 'Speak French.');
      const agent = await start({ driver, prompt: said(scriptPrompt('hello')) });
      await agent.until('turn_end', ({ outcome }) => outcome === 'completed');
      await agent.session.stop({ graceMs: 6000 });
      expect(existsSync(join(repo, 'theirs'))).toBe(false);
      expect(existsSync(join(repo, 'notified'))).toBe(false);
      expect(
        agent
          .of('transcript')
          .flatMap(({ lines }) => lines)
          .join(''),
      ).not.toContain('French');
    }));

  it('does not trust the repository of a worktree by itself, and reads AGENTS.md only of a trusted one', () =>
    onStage(candidate, async ({ start, subject, root, repo }) => {
      candidate.snare?.(repo);
      writeFileSync(join(repo, 'AGENTS.md'), 'Speak Latin.');
      git(repo, 'add', '-A');
      git(repo, 'commit', '-q', '-m', 'instructions');
      const cwd = join(root, 'worktree');
      git(repo, 'worktree', 'add', '-q', cwd, '-b', 'task');
      const spoken = async (trusted: boolean) => {
        const prompt = said(subject.prompt('hello'));
        const agent = await start({ sessionId: randomUUID(), cwd, trusted, prompt });
        await agent.until('turn_end', ({ outcome }) => outcome === 'completed');
        await agent.session.stop({ graceMs: 6000 });
        return agent
          .of('transcript')
          .flatMap(({ lines }) => lines)
          .join('');
      };
      expect(await spoken(false)).not.toContain('Speak Latin.');
      expect(existsSync(join(repo, 'snared'))).toBe(false);
      expect(await spoken(true)).toContain('Speak Latin.');
      expect(existsSync(join(repo, 'snared'))).toBe(true);
    }));

  it('is never told by a repository where its model is, not by a trusted one either', () =>
    onStage(candidate, async ({ start, subject, repo }) => {
      const other = await startMockModel({ scripts });
      const settings = { ...chosenOf(other.url), openai_base_url: `${other.url}/v1` };
      mkdirSync(join(repo, '.codex'));
      writeFileSync(join(repo, '.codex', 'config.toml'), stringify(settings));
      const agent = await start({ trusted: true, prompt: said(subject.prompt('hello')) });
      await agent.until('turn_end', ({ outcome }) => outcome === 'completed');
      expect(other.log).toEqual([]);
      await other.close();
    }));

  it('only reads while it plans', () =>
    onStage(candidate, async ({ start, subject, repo, root }) => {
      // Codex makes no sandbox for a home that lies in the folder for temporary files.
      const env = { TMPDIR: join(root, 'temporary') };
      mkdirSync(env.TMPDIR);
      const prompt = said(subject.prompt('commit'));
      const agent = await start({ permission: 'plan', env, prompt });
      await agent.until('turn_end', ({ outcome }) => outcome === 'completed');
      expect(agent.said()).toContain('Read-only file system');
      expect(git(repo, 'status', '--porcelain')).toBe('');
      expect(git(repo, 'log', '--format=%s')).toBe('start');
    }));

  it('goes on from a conversation whose last line a crash has cut', () =>
    onStage(candidate, async ({ start, subject, root, sessionId }) => {
      const first = await start({ prompt: said(subject.prompt('hello')) });
      await first.until('turn_end');
      await first.session.stop({ graceMs: 6000 });
      const folder = join(root, 'home-here', 'sessions', 'codex', sessionId);
      const [file = ''] = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
        (name) => name.endsWith('.jsonl'),
      );
      appendFileSync(join(folder, file), '{"timestamp":"2026-01-01T00:00:00Z","type":"resp');
      const second = await start({ mode: 'resume', attempt: 2, prompt: said('go on') });
      await second.until('turn_end', ({ outcome }) => outcome === 'completed');
      const lines = second.of('transcript').flatMap((event) => event.lines);
      for (const line of lines) expect(() => JSON.parse(line) as unknown).not.toThrow();
      expect(second.said()).toContain('go on');
    }));

  it('tells of what it says in lines that are too long', () =>
    onStage(candidate, async ({ start }) => {
      const limits = { startMs: 15_000, lineBytes: 2500 };
      const agent = await start({ limits, prompt: said(scriptPrompt('long')) });
      await agent.until('turn_end');
      expect(agent.of('log').some(({ cutBytes }) => cutBytes > 2500)).toBe(true);
      expect(agent.of('tool_end')).toMatchObject([{ cause: 'unseen', truncated: true }]);
    }));
});
