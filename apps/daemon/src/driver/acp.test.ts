/** The driver of any command line that speaks ACP: with one that speaks it badly, and with a real one. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fetchGemini } from '@makima/mock-model/fetch-agents';
import { startMockModel } from '@makima/mock-model/server';
import { afterAll, describe, expect, it } from 'vitest';
import { commandProfile } from './acp-command.ts';
import { acpDriver } from './acp.ts';
import type { Candidate } from './conformance-stage.ts';
import { git, onStage, reasonOf, said } from './conformance-stage.ts';
import type { AgentDriver } from './driver.ts';
import { conformanceScripts, scriptPrompt } from './test-model.ts';

const agent = fileURLToPath(new URL('./test-acp-agent.ts', import.meta.url));

function driverIn(home: string, command: readonly string[]): AgentDriver {
  return acpDriver({
    profile: commandProfile({
      command,
      environmentNames: [
        'TEST_ACP_MEMORY',
        'GEMINI_API_KEY',
        'GEMINI_MODEL',
        'GOOGLE_GEMINI_BASE_URL',
        'a*',
      ],
    }),
    sessionsDir: join(home, 'sessions'),
    environment: {
      PATH: process.env.PATH,
      HOME: home,
      TEST_ACP_MEMORY: join(home, 'memory'),
      GEMINI_API_KEY: 'test',
      GEMINI_MODEL: 'gemini-2.5-pro',
      GOOGLE_GEMINI_BASE_URL: model.url,
      MAKIMA_SECRET: 'hunter2',
    },
  });
}

const candidateOf = (...args: readonly string[]): Candidate => ({
  name: 'acp',
  faults: null,
  hello: { tokens: null, costUsd: 0 },
  limited: null,
  snare: null,
  open: (home) => ({
    driver: driverIn(home, [process.execPath, agent, ...args]),
    prompt: (deed) => `do: ${deed}`,
  }),
});
const candidate = candidateOf();

const model = await startMockModel({
  scripts: conformanceScripts({
    shell: (command) => ({
      name: 'run_shell_command',
      input: { command, description: 'A command' },
    }),
    echo: (value) => ({ name: 'mcp_makima_makima_echo', input: { value } }),
    ask: () => ({ name: 'ask_user', input: {} }),
  }),
});
afterAll(() => model.close());

describe('an agent that speaks ACP badly', () => {
  it('is heard through all that is no sense, and refused what it may not have', () =>
    onStage(candidate, async ({ start }) => {
      const watched = await start({ prompt: said('do: babble') });
      expect(await watched.until('turn_end')).toMatchObject({
        outcome: 'completed',
        text: 'I babbled.',
      });
      await watched.until('log', ({ line }) => line.includes('-32601'));
      const logs = watched.of('log').map(({ line }) => line);
      for (const word of ['this is not JSON', '4711', 'session/elsewhere', 'something_new']) {
        expect(logs.some((line) => line.includes(word))).toBe(true);
      }
      expect(logs).toContain('Plan: Look (completed)');
      // What comes after its turn, and before the next, belongs to none.
      await watched.until('log', ({ line }) => line.includes('session/said_all'));
      await watched.session.send(said('and now?'));
      await watched.until('text', ({ text }) => text.includes('and now?'));
      expect(watched.said()).not.toContain('Late.');
      expect(watched.of('tool_start')).toEqual([]);
      const used = await watched.until('usage', ({ turn }) => turn.input === 3);
      expect(used.total).toMatchObject({ input: 3, output: 2 });
    }));

  it('has its tools closed that it leaves open', () =>
    onStage(candidate, async ({ start }) => {
      const watched = await start({ prompt: said('do: leave') });
      await watched.until('turn_end');
      expect(watched.of('tool_start')).toMatchObject([{ toolId: 'open', kind: 'shell' }]);
      expect(watched.of('tool_end')).toMatchObject([{ toolId: 'open', cause: 'unseen' }]);
    }));

  it.each([
    ['limited', { outcome: 'failed', error: { kind: 'rate_limit', status: 429 } }],
    ['refuse', { outcome: 'failed', error: { kind: 'invalid' } }],
    ['long', { outcome: 'too_long', error: { kind: 'too_long' } }],
    ['turns', { outcome: 'max_turns', error: null }],
    ['nothing', { outcome: 'completed' }],
  ])('ends its turn by what it says of it: %s', (word, end) =>
    onStage(candidate, async ({ start }) => {
      const watched = await start({ prompt: said(`do: ${word}`) });
      expect(await watched.until('turn_end')).toMatchObject(end);
      const limited = watched.of('limit').length === 1;
      expect(limited).toBe(word === 'limited');
      await watched.until('state', ({ state }) => state === (limited ? 'limited' : 'idle'), 4);
    }),
  );

  it('is allowed what it asks for, by an option that allows it once, or by none', () =>
    onStage(candidate, async ({ start }) => {
      const watched = await start({ prompt: said('do: may') });
      expect(await watched.until('turn_end')).toMatchObject({ text: 'Chosen: allow_once' });
      const { seq } = await watched.until('state', ({ state }) => state === 'idle', 4);
      await watched.session.send(said('do: never'));
      expect(await watched.until('turn_end', () => true, seq)).toMatchObject({
        text: 'Chosen: cancelled',
      });
    }));

  it('that does not hear an interrupt is said not to have heard it, and can be stopped', () =>
    onStage(candidate, async ({ start }) => {
      const watched = await start({ prompt: said('do: deaf') });
      await watched.until('tool_start');
      expect(await watched.session.interrupt()).toBe(false);
      await watched.session.stop({ graceMs: 300 });
      expect(watched.of('tool_end')).toMatchObject([{ ok: false }]);
    }));

  it.each([
    ['version', 'exited'],
    ['toolless', 'bad_spec'],
    ['signed-out', 'not_signed_in'],
    ['nameless', 'exited'],
  ])('does not start when it is %s', (fault, reason) =>
    onStage(candidateOf(fault), async ({ start }) => {
      expect(await reasonOf(start({ prompt: said('hello') }))).toBe(reason);
      // It never began: the same may be tried again as what it was.
      expect(await reasonOf(start({ prompt: said('hello') }))).toBe(reason);
    }),
  );

  it('is given up when it never answers the first word', () =>
    onStage(candidateOf('silent'), async ({ start }) => {
      const limits = { startMs: 400 };
      expect(await reasonOf(start({ limits, prompt: said('hello') }))).toBe('start_timeout');
    }));

  it('is not given words of a message that would be a command of its own', () =>
    onStage(candidate, async ({ start }) => {
      const watched = await start({ prompt: said('/quit now') });
      expect((await watched.until('turn_end')).text).toBe('Heard: Message: /quit now');
    }));
});

describe('a conversation over ACP', () => {
  const crashed = { mode: 'resume', attempt: 2 } as const;

  it('gives a message again after which nothing was seen, and none that was answered', () =>
    onStage(candidate, async ({ start }) => {
      const answered = said('remember teal');
      const first = await start({ prompt: answered });
      await first.until('turn_end');
      const lost = said('do: crash');
      await first.session.send(lost);
      expect(await first.until('exit')).toMatchObject({ code: 3, expected: false });

      const second = await start(crashed);
      await second.session.send(answered);
      await second.until('message', ({ id, state }) => id === answered.id && state === 'done');
      expect(second.of('turn_end')).toEqual([]);
      await second.session.send({ ...lost, text: 'what was the colour?' });
      const { text } = await second.until('turn_end');
      // It had never read it: that is said, before what came for it now.
      expect(text).toMatch(/before you could read this message:\]\s+do: crash/);
      expect(text).toContain('what was the colour?');
      expect(second.said()).not.toContain('The past again.');
    }));

  it.each([
    ['that has forgotten its session', [], true],
    ['that cannot load one', ['forgetful'], false],
  ])(
    'goes on with an agent %s: a fresh one is told what stands in the record',
    (_who, args, forgets) =>
      onStage(candidateOf(...args), async ({ start, root }) => {
        const first = await start({ prompt: said('remember teal') });
        await first.until('turn_end');
        await first.session.stop({ graceMs: 3000 });
        if (forgets) rmSync(join(root, 'home-here', 'memory'));
        const second = await start({ ...crashed, prompt: said('what was the colour?') });
        const { text } = await second.until('turn_end');
        expect(text).toContain('User: remember teal');
        expect(text).toContain('You: Heard: remember teal');
        expect(text).toMatch(/Now:\]\s+what was the colour\?$/);
        expect(second.of('started')).toMatchObject([{ resumed: true }]);
        // Once is enough.
        await second.session.send(said('and now?'));
        await second.until('text', (event) => event.text === 'Heard: and now?');
      }),
  );

  it('loses nothing but a line that a kill has cut', () =>
    onStage(candidate, async ({ start, root, sessionId }) => {
      const first = await start({ prompt: said('remember teal') });
      await first.until('turn_end');
      await first.session.stop({ graceMs: 3000 });
      const path = join(root, 'home-here', 'sessions', 'acp', sessionId, 'conversation.jsonl');
      writeFileSync(path, `${readFileSync(path, 'utf8')}{"t":"agent","te`);
      const second = await start({ ...crashed, prompt: said('go on') });
      await second.until('turn_end');
      const lines = readFileSync(path, 'utf8').trim().split('\n');
      for (const line of lines) expect(() => JSON.parse(line) as unknown).not.toThrow();
      expect(second.of('transcript')[0]?.lines).toEqual(
        first.of('transcript').flatMap((event) => event.lines),
      );
    }));

  it('has an id that is a name of a folder', () =>
    onStage(candidate, async ({ start }) => {
      expect(await reasonOf(start({ sessionId: '../elsewhere' }))).toBe('bad_spec');
    }));
});

describe('the command of an agent', () => {
  const home = mkdtempSync(join(tmpdir(), 'makima-acp-'));
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  it('is looked for, and what is missing is said', async () => {
    const nowhere = await driverIn(home, ['/nowhere/agent', '--acp']).probe();
    expect(nowhere).toMatchObject({ path: null, tested: false });
    expect(nowhere.problem).toBe('The program /nowhere/agent of MAKIMA_ACP_COMMAND was not found.');
    const none = commandProfile({ command: null, environmentNames: [] });
    expect((await none.probe({})).problem).toContain('MAKIMA_ACP_COMMAND');
    const node = await driverIn(home, [process.execPath, agent]).probe();
    expect(node).toMatchObject({ path: process.execPath, problem: null, signedIn: null });
    mkdirSync(join(home, 'relative'));
    expect((await driverIn(home, ['./relative/agent']).probe()).path).toBeNull();
  });

  it('that is not there fails the start', () =>
    onStage(candidate, async ({ start }) => {
      const driver = driverIn(home, ['/nowhere/agent']);
      expect(await reasonOf(start({ driver, prompt: said('hello') }))).toBe('not_found');
      for (const permission of ['ask', 'plan'] as const) {
        expect(await reasonOf(start({ permission }))).toBe('bad_spec');
      }
    }));
});

describe('a real agent as a command', async () => {
  const gemini = await fetchGemini();
  const real: Candidate = {
    ...candidate,
    open: (home) => ({
      driver: driverIn(home, [gemini, '--acp', '--approval-mode', 'yolo', '--skip-trust']),
      prompt: scriptPrompt,
    }),
  };

  it(
    'commits, calls makima, and goes on in a fresh conversation from the record',
    () =>
      onStage(real, async ({ start, subject, repo, tools, root }) => {
        const settings = { security: { auth: { selectedType: 'gemini-api-key' } } };
        mkdirSync(join(root, 'home-here', '.gemini'));
        const path = join(root, 'home-here', '.gemini', 'settings.json');
        writeFileSync(path, JSON.stringify(settings));
        const first = await start({
          systemAppend: 'Be brief.',
          prompt: said(subject.prompt('commit')),
        });
        await first.until('turn_end', ({ outcome }) => outcome === 'completed');
        expect(git(repo, 'log', '--format=%s')).toBe('add hello\nstart');
        const { seq } = await first.until('state', ({ state }) => state === 'idle', 5);
        await first.session.send(said(subject.prompt('tool')));
        await first.until('turn_end', ({ outcome }) => outcome === 'completed', seq);
        expect(tools.calls).toMatchObject([{ name: 'makima_echo', args: { value: 'ping' } }]);
        await first.session.stop({ graceMs: 6000 });

        const second = await start({
          mode: 'resume',
          attempt: 2,
          prompt: said('[[script:wait]] on'),
        });
        await second.until('tool_start', ({ kind }) => kind === 'shell');
        writeFileSync(join(repo, 'go'), '');
        await second.until('turn_end', ({ outcome }) => outcome === 'completed');
        expect(second.said()).toContain('Remember magenta.');
      }),
    60_000,
  );
});
