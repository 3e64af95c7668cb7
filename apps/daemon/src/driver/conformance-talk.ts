/** Conformance: messages, interrupts, questions, guards. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Candidate, Watched } from './conformance-stage.ts';
import { git, onStage, said } from './conformance-stage.ts';
import type { PermissionAnswer } from './driver.ts';

/** Starts the deed `wait` and returns when its program runs. */
async function waiting(agent: Watched): Promise<void> {
  await agent.until('tool_start', (tool) => tool.kind === 'shell');
}

/** The receipts of one message, in order. */
const receiptsOf = (agent: Watched, messageId: string) =>
  agent
    .of('message')
    .filter(({ id }) => id === messageId)
    .map(({ state }) => state);

const whole = ['queued', 'delivered', 'done'];

export function talkCases(candidate: Candidate): void {
  it('takes a message while it works, and tells of its way', () =>
    onStage(candidate, async ({ start, subject, repo }) => {
      const { inject } = subject.driver.caps;
      const agent = await start({ prompt: said(subject.prompt('wait')) });
      await waiting(agent);
      const message = said('the sky is blue');
      const taken = agent.until('message', ({ id }) => id === message.id);
      if (inject === 'none') {
        await expect(agent.session.send(message)).rejects.toMatchObject({ code: 'COMMAND_FAILED' });
        return;
      }
      await agent.session.send(message);
      expect(await taken).toMatchObject({ state: 'queued' });
      writeFileSync(join(repo, 'go'), '');
      await agent.until('message', ({ id, state }) => id === message.id && state === 'done');
      const turns = inject === 'mid_turn' ? 1 : 2;
      const nth = () => agent.of('turn_end').length === turns;
      await agent.until('turn_end', nth);
      expect(receiptsOf(agent, message.id)).toEqual(whole);
      expect(agent.said()).toContain('the sky is blue');
      expect(agent.of('turn_end')).toHaveLength(turns);
    }));

  it('reads a message for later when its turn is over', () =>
    onStage(candidate, async ({ start, subject, repo }) => {
      if (subject.driver.caps.inject === 'none') return;
      const agent = await start({ prompt: said(subject.prompt('wait')) });
      await waiting(agent);
      const message = said('there is time');
      await agent.session.send({ ...message, when: 'later' });
      writeFileSync(join(repo, 'go'), '');
      const first = await agent.until('turn_end');
      const read = await agent.until('message', ({ state, id }) => {
        return id === message.id && state === 'delivered';
      });
      expect(read.seq).toBeGreaterThan(first.seq);
      await agent.until('message', ({ id, state }) => id === message.id && state === 'done');
      expect(receiptsOf(agent, message.id)).toEqual(whole);
      expect(agent.said()).toContain('there is time');
    }));

  it('breaks off what it does for a message that cannot wait', () =>
    onStage(candidate, async ({ start, subject, repo }) => {
      const { inject, interrupt } = subject.driver.caps;
      if (inject === 'none' || !interrupt) return;
      const agent = await start({ prompt: said(subject.prompt('wait')) });
      await waiting(agent);
      const message = said('the house is on fire');
      await agent.session.send({ ...message, when: 'now' });
      expect(await agent.until('tool_end')).toMatchObject({ ok: false, cause: 'aborted' });
      // Who takes its work up again by itself finds it done.
      writeFileSync(join(repo, 'go'), '');
      await agent.until('message', ({ id, state }) => id === message.id && state === 'done');
      await agent.until('turn_end', ({ outcome }) => outcome === 'completed');
      expect(agent.said()).toContain('the house is on fire');
    }));

  it('does not run a message twice, nor after it was killed and resumed', () =>
    onStage(candidate, async ({ start, subject }) => {
      const first = await start({ prompt: said(subject.prompt('hello')) });
      const { seq } = await first.until('turn_end');
      const message = said('say this once');
      await first.session.send(message);
      await first.until('turn_end', () => true, seq);
      await first.session.send(message);
      await first.session.stop({ graceMs: 6000 });
      expect(first.said().split('say this once')).toHaveLength(2);
      expect(first.of('turn_end')).toHaveLength(2);
      if (subject.driver.caps.resume === 'none') return;

      const second = await start({ mode: 'resume', attempt: 2 });
      await second.session.send(message);
      const other = said('and now this');
      await second.session.send(other);
      await second.until('message', ({ id, state }) => id === other.id && state === 'done');
      expect(second.said()).toContain('and now this');
      expect(second.of('turn_end')).toHaveLength(1);
    }));

  it('breaks off at once when interrupted, and goes on with the next message', () =>
    onStage(candidate, async ({ start, subject, repo }) => {
      const agent = await start({ prompt: said(subject.prompt('wait')) });
      await waiting(agent);
      if (!subject.driver.caps.interrupt) {
        expect(await agent.session.interrupt()).toBe(false);
        writeFileSync(join(repo, 'go'), '');
        expect(await agent.until('turn_end')).toMatchObject({ outcome: 'completed' });
        return;
      }
      const since = performance.now();
      expect(await agent.session.interrupt()).toBe(true);
      expect(performance.now() - since).toBeLessThan(2000);
      const turn = await agent.until('turn_end');
      expect(turn).toMatchObject({ outcome: 'interrupted', error: null });
      expect(await agent.until('tool_end')).toMatchObject({ ok: false, cause: 'aborted' });
      await agent.until('state', ({ state }) => state === 'idle', turn.seq);
      expect(await agent.session.interrupt()).toBe(false);
      writeFileSync(join(repo, 'go'), '');
      await agent.session.send(said('please go on'));
      await agent.until('turn_end', ({ outcome }) => outcome === 'completed');
      expect(agent.said()).toContain('magenta');
    }));

  it('asks a question and reads the answer, or has nothing to ask with', () =>
    onStage(candidate, async ({ start, subject }) => {
      const agent = await start({ prompt: said(subject.prompt('question')) });
      if (!subject.driver.caps.questions) {
        await agent.until('turn_end', ({ outcome }) => outcome === 'completed');
        expect(agent.of('question')).toEqual([]);
        expect(agent.of('tool_end').filter((tool) => tool.ok)).toEqual([]);
        return;
      }
      const asked = await agent.until('question');
      expect(asked.questions).toMatchObject([
        {
          text: 'Which database?',
          options: [{ label: 'Postgres' }, { label: 'SQLite' }],
          multi: false,
        },
      ]);
      await agent.until('state', ({ state }) => state === 'waiting_input');
      const id = asked.questions[0]?.id ?? '';
      const answer = { kind: 'question' as const, answers: { [id]: ['Postgres'] } };
      expect(await agent.session.answer('unknown', answer)).toBe(false);
      expect(await agent.session.answer(asked.requestId, answer)).toBe(true);
      expect(await agent.session.answer(asked.requestId, answer)).toBe(false);
      await agent.until('turn_end', ({ outcome }) => outcome === 'completed');
      expect(agent.said()).toContain('Postgres');
    }));

  it('takes a question back when it is interrupted over it', () =>
    onStage(candidate, async ({ start, subject }) => {
      const { questions, interrupt } = subject.driver.caps;
      if (!questions || !interrupt) return;
      const agent = await start({ prompt: said(subject.prompt('question')) });
      const { requestId, questions: asked } = await agent.until('question');
      expect(await agent.session.interrupt()).toBe(true);
      await agent.until('request_cancelled', (event) => event.requestId === requestId);
      const answers = { [asked[0]?.id ?? '']: ['Postgres'] };
      expect(await agent.session.answer(requestId, { kind: 'question', answers })).toBe(false);
      const next = said('please go on');
      await agent.session.send(next);
      await agent.until('message', ({ id, state }) => id === next.id && state === 'delivered');
    }));

  it.each([
    [{ allow: true }, 'add hello\nstart'],
    [{ allow: false, message: 'Not on a Friday.' }, 'start'],
  ] as const)('acts only with permission where it must ask: %j', (verdict, log) =>
    onStage(candidate, async ({ start, subject, repo }) => {
      const spec = { permission: 'ask' as const, prompt: said(subject.prompt('commit')) };
      if (!subject.driver.caps.permissions) {
        await expect(start(spec)).rejects.toMatchObject({ details: { reason: 'bad_spec' } });
        return;
      }
      const agent = await start(spec);
      const asked = await agent.until('permission');
      const [tool] = agent.of('tool_start');
      expect(asked).toMatchObject({ tool: tool?.name, toolId: tool?.toolId });
      expect(git(repo, 'log', '--format=%s')).toBe('start');
      const answer: PermissionAnswer = { kind: 'permission', ...verdict };
      expect(await agent.session.answer('unknown', answer)).toBe(false);
      expect(await agent.session.answer(asked.requestId, answer)).toBe(true);
      expect(await agent.session.answer(asked.requestId, answer)).toBe(false);
      await agent.until('turn_end');
      const cause = verdict.allow ? 'finished' : 'denied';
      expect(agent.of('tool_end')).toMatchObject([{ ok: verdict.allow, cause }]);
      expect(git(repo, 'log', '--format=%s')).toBe(log);
      if (verdict.allow) return;
      // What the agent reads: its model says it again, one without a model has it as its call's result.
      const read = [agent.said(), ...agent.of('tool_end').map(({ output }) => output)].join(' ');
      expect(read).toContain(verdict.message);
    }),
  );

  it('uses the tools of makima unasked where it asks before its own', () =>
    onStage(candidate, async ({ start, subject, tools }) => {
      if (!subject.driver.caps.permissions) return;
      const agent = await start({ permission: 'ask', prompt: said(subject.prompt('tool')) });
      await agent.until('turn_end');
      expect(agent.of('permission')).toEqual([]);
      expect(tools.calls).toHaveLength(1);
    }));

  it('puts its tool calls to the guard, if it can', () =>
    onStage(candidate, async ({ start, subject, tools }) => {
      const seen: string[] = [];
      const agent = await start({
        prompt: said(subject.prompt('tool')),
        guard: async (call) => {
          seen.push(call.name);
          return { verdict: 'deny', message: 'Phase guard: not now.' };
        },
      });
      await agent.until('turn_end');
      if (!subject.driver.caps.toolGate) {
        expect(seen).toEqual([]);
        return;
      }
      expect(seen).toEqual(['makima_echo']);
      expect(tools.calls).toEqual([]);
      expect(agent.of('tool_end')).toMatchObject([{ ok: false, cause: 'denied' }]);
      expect(agent.said()).toContain('Phase guard: not now.');
    }));
}
