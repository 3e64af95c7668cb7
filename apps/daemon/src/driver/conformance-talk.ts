/** Conformance: messages, interrupts, questions, guards. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Row } from './conformance-row.ts';
import { deed } from './conformance-row.ts';
import type { Candidate, Watched } from './conformance-stage.ts';
import { appears, onStage, reasonOf, said } from './conformance-stage.ts';
import type { AgentMessage } from './driver.ts';

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

/** What becomes of a message to an agent that reads none while it works. */
async function refuses(
  agent: Watched,
  message: AgentMessage,
  when: 'now' | 'next' | 'later',
): Promise<void> {
  const sent = agent.session.send({ ...message, when });
  await expect(sent).rejects.toMatchObject({ code: 'COMMAND_FAILED' });
  expect(receiptsOf(agent, message.id)).toEqual([]);
}

const whole = ['queued', 'delivered', 'done'];

export function talkCases(candidate: Candidate, row: Row): void {
  it('takes a message while it works, and tells of its way', () =>
    row.play(deed('wait'), async ({ agent, subject, repo }) => {
      const { inject } = subject.driver.caps;
      await waiting(agent);
      const message = said('the sky is blue');
      const taken = agent.until('message', ({ id }) => id === message.id);
      if (inject === 'none') return refuses(agent, message, 'next');
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
    row.play(deed('wait'), async ({ agent, subject, repo }) => {
      await waiting(agent);
      const message = said('there is time');
      if (subject.driver.caps.inject === 'none') return refuses(agent, message, 'later');
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
    row.play(deed('wait'), async ({ agent, subject, repo }) => {
      const { inject, interrupt } = subject.driver.caps;
      await waiting(agent);
      // What runs is harder to break off than what is about to begin.
      await appears(join(repo, 'started'));
      const message = said('the house is on fire');
      if (inject === 'none') return refuses(agent, message, 'now');
      await agent.session.send({ ...message, when: 'now' });
      // Without it the message is read as any other.
      if (interrupt) {
        expect(await agent.until('tool_end')).toMatchObject({ ok: false, cause: 'aborted' });
      }
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
      const resumed = { mode: 'resume', attempt: 2 } as const;
      if (subject.driver.caps.resume === 'none') {
        expect(await reasonOf(start(resumed))).toBe('no_conversation');
        return;
      }
      const second = await start(resumed);
      await second.session.send(message);
      const other = said('and now this');
      await second.session.send(other);
      await second.until('message', ({ id, state }) => id === other.id && state === 'done');
      expect(second.said()).toContain('and now this');
      expect(second.of('turn_end')).toHaveLength(1);
    }));

  it('breaks off at once when interrupted, and goes on with the next message', () =>
    row.play(deed('wait'), async ({ agent, subject, repo }) => {
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

  it('is broken off while a tool of makima holds it, as for parking, and goes on later', () =>
    onStage(candidate, async ({ start, subject, tools }) => {
      const { interrupt, resume } = subject.driver.caps;
      const held = tools.hold();
      const first = await start({ prompt: said(subject.prompt('tool')) });
      await held;
      expect(await first.session.interrupt()).toBe(interrupt);
      if (!interrupt) return;
      expect(await first.until('tool_end')).toMatchObject({ ok: false, cause: 'aborted' });
      await first.session.stop({ graceMs: 6000 });
      tools.answerNext([{ echo: 'at last' }]);
      const resumed = { mode: 'resume', attempt: 2, prompt: said('it is answered') } as const;
      if (resume === 'none') {
        expect(await reasonOf(start(resumed))).toBe('no_conversation');
        return;
      }
      const second = await start(resumed);
      await second.until('turn_end', ({ outcome }) => outcome === 'completed');
    }));

  it('asks a question and reads the answer, or has nothing to ask with', () =>
    row.play(deed('question'), async ({ agent, subject }) => {
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
    row.play(deed('question'), async ({ agent, subject }) => {
      const { questions, interrupt } = subject.driver.caps;
      if (!questions) {
        await agent.until('turn_end');
        expect([...agent.of('question'), ...agent.of('request_cancelled')]).toEqual([]);
        return;
      }
      const { requestId, questions: asked } = await agent.until('question');
      expect(await agent.session.interrupt()).toBe(interrupt);
      if (!interrupt) return;
      await agent.until('request_cancelled', (event) => event.requestId === requestId);
      const answers = { [asked[0]?.id ?? '']: ['Postgres'] };
      expect(await agent.session.answer(requestId, { kind: 'question', answers })).toBe(false);
      const next = said('please go on');
      await agent.session.send(next);
      await agent.until('message', ({ id, state }) => id === next.id && state === 'delivered');
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
