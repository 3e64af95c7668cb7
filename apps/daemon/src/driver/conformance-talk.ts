/** Conformance: messages, interrupts, questions, guards. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Candidate, Watched } from './conformance-stage.ts';
import { onStage, said } from './conformance-stage.ts';

/** Starts the deed `wait` and returns when its program runs. */
async function waiting(agent: Watched): Promise<void> {
  await agent.until('tool_start', (tool) => tool.kind === 'shell');
}

export function talkCases(candidate: Candidate): void {
  it('takes a message while it works, and tells of its way', () =>
    onStage(candidate, async ({ start, subject, repo }) => {
      expect(subject.driver.caps.inject).toBe('mid_turn');
      const agent = await start({ prompt: said(subject.prompt('wait')) });
      await waiting(agent);
      const message = said('the sky is blue');
      const taken = agent.until('message', ({ id }) => id === message.id);
      await agent.session.send(message);
      expect(await taken).toMatchObject({ state: 'queued' });
      const states = () =>
        agent
          .of('message')
          .filter(({ id }) => id === message.id)
          .map(({ state }) => state);
      writeFileSync(join(repo, 'go'), '');
      await agent.until('message', ({ id, state }) => id === message.id && state === 'done');
      await agent.until('turn_end');
      expect(states()).toEqual(['queued', 'delivered', 'done']);
      expect(agent.said()).toContain('the sky is blue');
      expect(agent.of('turn_end')).toHaveLength(1);
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

  it('asks a question and reads the answer', () =>
    onStage(candidate, async ({ start, subject }) => {
      expect(subject.driver.caps.questions).toBe(true);
      const agent = await start({ prompt: said(subject.prompt('question')) });
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
