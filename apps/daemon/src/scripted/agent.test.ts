/** The scripted agent as a process: what its steps and tools do. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { git, said } from '../driver/conformance-stage.ts';
import { endOf, plan, play, texts } from './test-stage.ts';

describe('steps', () => {
  it('write, append, run, repeat, decide and remember', () =>
    play(async ({ start, repo }) => {
      const agent = await start({
        prompt: plan(`
steps:
  - write: { file: sub/a.txt, content: "start\\n" }
  - repeat: { over: [red, blue], name: colour }
    steps:
      - append: { file: sub/a.txt, content: "\${index} \${colour}\\n" }
  - run: { args: [tr, a-z, A-Z], stdin: hello }
    as: loud
  - run: [sh, -c, 'echo oops; exit 3']
    as: bad
    allow_failure: true
  - when: { equals: ['\${loud.output}', HELLO] }
    steps: [{ say: 'it said \${loud.output}' }]
    else: [{ fail: wrong }]
  - say: 'then \${bad.error}'
    if: { equals: ['\${bad.ok}', 'false'] }
  - say: never
    if: { exists: nothing }
  - commit: all of it
    as: first
  - commit: again
    as: second
  - set: { same: '\${first.sha}' }
    as: box
  - done: 'commit \${box.same} \${second.changed}'`),
      });
      const turn = await endOf(agent);
      expect(turn.outcome).toBe('completed');
      expect(readFileSync(join(repo, 'sub/a.txt'), 'utf8')).toBe('start\n0 red\n1 blue\n');
      expect(texts(agent)).toEqual([
        'it said HELLO',
        expect.stringContaining('exited with 3: oops'),
      ]);
      expect(turn.text).toBe(`commit ${git(repo, 'rev-parse', 'HEAD')} false`);
      expect(git(repo, 'log', '--format=%s')).toBe('all of it\nstart');
    }));

  it.each([
    ['fail: it is over', 'it is over'],
    ['run: [sh, -c, "exit 4"]', 'exited with 4'],
    ['run: [no-such-program]', 'could not be started'],
    ['run: { args: [sleep, 60], timeout_ms: 30 }', 'did not end in 30 ms'],
    ['write: { file: ../out.txt, content: x }', 'not below the working directory'],
    ['say: "${nothing}"', 'no value for ${nothing}'],
    ['repeat: 100000000\n    steps: [hang]', 'at most 10000'],
    ['wait_message: { timeout_ms: 20 }', 'No message came in 20 ms'],
    ['spawn: { name: x }', 'needs a plan or steps'],
    ['sya: hi', 'needs exactly one of say'],
  ])('fail in the open: %s', (step, why) =>
    play(async ({ start }) => {
      const turn = await endOf(await start({ prompt: plan(`steps:\n  - ${step}`) }));
      expect(turn).toMatchObject({
        outcome: 'failed',
        text: expect.stringContaining(why) as string,
      });
    }),
  );

  it('says how to write a script when there is none', () =>
    play(async ({ start }) => {
      const turn = await endOf(await start({ prompt: said('Build me a house.') }));
      expect(turn).toMatchObject({ outcome: 'failed', error: { kind: 'invalid' } });
      expect(turn.text).toContain('Write a fenced block "makima-script"');
    }));

  it('wait for messages, and answer those that nobody waits for', () =>
    play(async ({ start }) => {
      const agent = await start({
        prompt: plan(`
steps:
  - wait_message: { containing: go }
    as: sign
  - say: 'sign \${sign.text}'
on_message:
  - say: 'heard \${message.text}'`),
      });
      await agent.until('tool_start');
      await agent.session.send(said('not yet'));
      await agent.session.send({ ...said('for later'), when: 'later' });
      await agent.session.send(said('go now'));
      await endOf(agent);
      expect(texts(agent)).toEqual(['sign go now', 'heard not yet']);
      await agent.until('text', ({ text }) => text === 'heard for later');
      await agent.until('turn_end', () => true, (await endOf(agent)).seq);
    }));

  it('break a step off for a message that cannot wait, then do it again', () =>
    play(async ({ start, repo }) => {
      const agent = await start({
        prompt: plan(`
steps:
  - run: [sh, -c, 'echo x >> tries; while [ ! -e go ]; do sleep 0.02; done']
  - say: over
on_message:
  - say: 'heard \${message.text}'`),
      });
      await agent.until('tool_start');
      const message = { ...said('hurry'), when: 'now' as const };
      const second = agent.until('tool_start', () => true, (await agent.until('tool_start')).seq);
      await agent.session.send(message);
      await agent.until('message', ({ id, state }) => id === message.id && state === 'delivered');
      await second;
      writeFileSync(join(repo, 'go'), '');
      await endOf(agent);
      expect(texts(agent)).toEqual(['over', 'heard hurry']);
      expect(agent.of('tool_end').map((end) => end.cause)).toEqual(['aborted', 'finished']);
    }));

  it('meet a usage limit once, and go on after it', () =>
    play(async ({ start }) => {
      const script = 'steps:\n  - limit: { resets_in_ms: 5000 }\n  - say: on again';
      const agent = await start({ prompt: plan(script) });
      const turn = await endOf(agent);
      expect(turn).toMatchObject({ outcome: 'failed', error: { kind: 'rate_limit', status: 429 } });
      expect(agent.of('limit')).toMatchObject([{ status: 'rejected' }]);
      await agent.until('state', ({ state }) => state === 'limited');
      await agent.session.stop({ graceMs: 1000 });
      const later = await start({ mode: 'resume', attempt: 2 });
      await later.session.send(said('continue'));
      expect(await endOf(later)).toMatchObject({ outcome: 'completed' });
      expect(texts(later)).toContain('on again');
    }));

  it('tell what they used, once, and what the conversation cost over all attempts', () =>
    play(async ({ start }) => {
      const script =
        'steps:\n  - spend: { input: 900, output: 100, usd: 0.5 }\n  - spend: 0.25\n  - limit\n  - spend: 1';
      const agent = await start({ prompt: plan(script) });
      await endOf(agent);
      expect(agent.of('usage')).toMatchObject([
        { turn: { input: 900, output: 100 }, costUsd: 0.5 },
        { turn: { input: 0, output: 0 }, costUsd: 0.75 },
        { costUsd: 0.75 },
      ]);
      await agent.session.stop({ graceMs: 1000 });
      const later = await start({ mode: 'resume', attempt: 2 });
      await later.session.send(said('continue'));
      await endOf(later);
      const [first, last] = later.of('usage');
      expect(first).toMatchObject({ turn: { input: 0 }, costUsd: 1.75 });
      expect(last?.total.input).toBeGreaterThan(900);
    }));

  it('are deaf when they say so, and are stopped all the same', () =>
    play(async ({ start }) => {
      const agent = await start({ prompt: plan('steps:\n  - hang: { deaf: true }') });
      await agent.until('state', ({ state }) => state === 'working');
      await agent.until('transcript', ({ lines }) =>
        lines.some((line) => line.includes('"deaf":true')),
      );
      const { signal } = await agent.session.stop({ graceMs: 300 });
      expect(signal).toBe('SIGKILL');
    }));
});

describe('tools', () => {
  it('spawn with steps of their own, which are left as they are', () =>
    play(async ({ start, tools }) => {
      tools.answerNext([{ id: 'task-a' }, { ok: true }, { tasks: [] }]);
      const agent = await start({
        prompt: plan(`
steps:
  - set: world
    as: name
  - spawn:
      name: 'greet \${name}'
      plan: 'Greet the \${name}.'
      steps:
        - say: 'attempt \${attempt}'
    as: a
  - message: { task: '\${a}', text: hi }
  - wait: { tasks: ['\${a}'], for: any }`),
      });
      expect(await endOf(agent)).toMatchObject({ outcome: 'completed' });
      expect(tools.calls).toMatchObject([
        { name: 'makima_spawn', args: { name: 'greet world' } },
        { name: 'makima_message', args: { taskId: 'task-a', text: 'hi' } },
        { name: 'makima_wait', args: { taskIds: ['task-a'], mode: 'any' } },
      ]);
      const given = String(tools.calls[0]?.args.plan);
      expect(given).toMatch(/^Greet the world\.\n\n````makima-script\n/);
      expect(given).toContain('say: attempt ${attempt}');
    }));

  it('have short forms for everything that a supervisor does', () =>
    play(async ({ start, tools }) => {
      tools.answerNext([{ taskId: 't' }]);
      const agent = await start({
        prompt: plan(`
steps:
  - spawn: { name: a, plan: p, needs: [x], model: m, extra: { priority: 3 } }
    as: a
  - wait: { tasks: '\${a}', timeout_seconds: 0 }
  - result: '\${a}'
  - diff: '\${a}'
  - merge: { task: '\${a}', squash: true }
  - checkpoint: saved
  - deliverable:
      id: report
      evidence: [my word, { file: a.md }, { command: [npm, test], timeout_seconds: 9 }, { merged: '\${a}' }]
  - advance: review
  - message: { task: '\${a}', text: hi, mode: steer }
  - cancel: { task: '\${a}', reason: enough }
  - status
  - list`),
      });
      expect(await endOf(agent)).toMatchObject({ outcome: 'completed' });
      expect(tools.calls.map(({ name, args }) => ({ [name]: args }))).toEqual([
        { makima_spawn: { name: 'a', plan: 'p', needs: ['x'], model: 'm', priority: 3 } },
        { makima_wait: { taskIds: ['t'], mode: 'all', timeoutSeconds: 0 } },
        { makima_result: { taskId: 't' } },
        { makima_diff: { taskId: 't' } },
        { makima_merge: { taskId: 't', squash: true } },
        { makima_checkpoint: { message: 'saved' } },
        {
          makima_deliverable: {
            deliverableId: 'report',
            evidence: [
              { kind: 'word', text: 'my word' },
              { kind: 'file', path: 'a.md' },
              { kind: 'command', command: ['npm', 'test'], timeoutSeconds: 9 },
              { kind: 'merged', taskId: 't' },
            ],
          },
        },
        { makima_advance: { phase: 'review' } },
        { makima_message: { taskId: 't', text: 'hi', mode: 'steer' } },
        { makima_cancel: { taskId: 't', reason: 'enough' } },
        { makima_status: {} },
        { makima_list: {} },
      ]);
    }));

  it('are asked again under their id while pending, and under another when the answer names a call', () =>
    play(async ({ start, tools }) => {
      const next = { name: 'makima_poll', args: { questionId: 'q1' } };
      tools.answerNext([
        { stillPending: true },
        { stillPending: true, next },
        { stillPending: true },
        { stillPending: false, response: 'blue' },
      ]);
      const agent = await start({
        prompt: plan(`
steps:
  - ask: { question: Which colour?, choices: [red, blue] }
    as: answer
  - done: '\${answer.response}'`),
      });
      expect((await endOf(agent)).text).toBe('blue');
      const { calls } = tools;
      expect(calls.map((call) => call.name)).toEqual([
        'makima_ask',
        'makima_ask',
        'makima_poll',
        'makima_poll',
      ]);
      const [first, second] = agent.of('tool_start').map((tool) => tool.toolId);
      expect(calls.map((call) => call.toolId)).toEqual([first, first, second, second]);
      expect(second).toBe(`${first}-1`);
    }));

  it('are called under the same id when the agent was killed meanwhile', () =>
    play(async ({ start, tools }) => {
      const held = tools.hold();
      const script =
        'steps:\n  - tool: { name: makima_echo, args: { value: "${attempt}" } }\n    as: a\n  - done: "${a.echo}"';
      const first = await start({ prompt: plan(script) });
      const { toolId } = await held;
      process.kill(first.session.pid, 'SIGKILL');
      await first.until('exit');
      tools.answerNext([]);
      const second = await start({ mode: 'resume', attempt: 2 });
      expect((await endOf(second)).text).toBe('1');
      expect(tools.calls.map((call) => call.toolId)).toEqual([toolId, toolId]);
      expect(tools.calls[1]?.args).toEqual(tools.calls[0]?.args);
    }));

  it('fail with the reason when the server refuses, or is not there', () =>
    play(async ({ start, tools }) => {
      const bare = plan('steps:\n  - list');
      const wrong = await start({ tools: { url: tools.url, token: 'wrong' }, prompt: bare });
      expect((await endOf(wrong)).text).toContain('refused the run');
      const gone = { url: 'http://127.0.0.1:9/mcp', token: 't' };
      const nobody = await start({ tools: gone, sessionId: 'another', prompt: bare });
      expect((await endOf(nobody)).text).toMatch(/makima_list: .*ECONNREFUSED/);
    }));
});
