/** Conformance: what cannot be done is told, with its reason, and leaves no process. */
import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { rowOf } from './conformance-row.ts';
import type { Candidate, Fault } from './conformance-stage.ts';
import { onStage, reasonOf, said } from './conformance-stage.ts';

export function failureCases(candidate: Candidate): void {
  it('says that a conversation is lost', () =>
    onStage(candidate, async ({ start }) => {
      const lost = start({ mode: 'resume', sessionId: randomUUID(), prompt: said('go on') });
      expect(await reasonOf(lost)).toBe('no_conversation');
    }));

  it('does not begin a conversation anew that exists', () =>
    onStage(candidate, async ({ start, subject }) => {
      const agent = await start({ prompt: said(subject.prompt('hello')) });
      await agent.until('turn_end');
      await agent.session.stop({ graceMs: 6000 });
      expect(await reasonOf(start({ prompt: said(subject.prompt('hello')) }))).toBe('in_use');
    }));

  it('says that its directory is not there', () =>
    onStage(candidate, async ({ start, root, repo }) => {
      rmSync(repo, { recursive: true });
      expect(await reasonOf(start({ cwd: repo }))).toBe('bad_spec');
      expect(await reasonOf(start({ cwd: join(root, 'never') }))).toBe('bad_spec');
    }));

  it('is not started past a limit that it does not keep', () =>
    onStage(candidate, async ({ start, subject, startMs }) => {
      const limits = { startMs, maxTurns: 1 };
      const started = start({ limits, prompt: said(subject.prompt('commit')) });
      if (!subject.driver.caps.turnLimits) {
        expect(await reasonOf(started)).toBe('bad_spec');
        return;
      }
      const agent = await started;
      expect(await agent.until('turn_end')).toMatchObject({ outcome: 'max_turns' });
    }));

  it('lets no agent go on that it could not find again', () =>
    onStage(candidate, async ({ start, root, subject }) => {
      const home = join(root, 'a-file');
      writeFileSync(home, '');
      const failed = start({ home, prompt: said(subject.prompt('hello')) });
      await expect(failed).rejects.toThrow();
    }));

  it('tells of a usage limit of its plan, and when it is over', () =>
    onStage(candidate, async ({ start, root, subject }) => {
      const { limited } = candidate;
      expect(limited !== null).toBe(subject.driver.caps.rateLimits);
      if (limited === null) return;
      const { driver, prompt } = limited(join(root, 'home-here'));
      const since = Date.now();
      const agent = await start({ driver, prompt: said(prompt) });
      const { resetsAtMs } = await agent.until('limit', ({ status }) => status === 'rejected');
      expect(resetsAtMs).toBeGreaterThan(since);
      expect(resetsAtMs).toBeLessThan(since + 7_200_000);
      const known = subject.driver.caps.modelErrors === 'words' ? null : 429;
      const error = { kind: 'rate_limit', status: known };
      expect(await agent.until('turn_end')).toMatchObject({ outcome: 'failed', error });
      await agent.until('state', ({ state }) => state === 'limited');
    }));

  const { faults } = candidate;
  if (faults === null) {
    it('asks no model, so that none can fail it', () =>
      onStage(candidate, async ({ subject }) => {
        expect(subject.driver.caps).toMatchObject({ retries: 'none', modelErrors: 'none' });
      }));
    return;
  }
  const row = rowOf(candidate, { limits: { stallMs: 300 } });
  afterAll(row.close);
  const asks = (fault: Fault) => () => faults(fault);

  it.each([
    ['rate_limited_once', { kind: 'rate_limit', status: 429 }],
    ['cut_once', { status: null }],
  ] as const)('gets over a model that is %s by itself', (fault, error) =>
    row.play(asks(fault), async ({ agent, subject }) => {
      await agent.until('turn_end', ({ outcome }) => outcome === 'completed');
      const { retries, modelErrors } = subject.driver.caps;
      const told = retries === 'told';
      const known = modelErrors === 'status' ? error : { status: null };
      expect(agent.of('retry').slice(0, 1)).toMatchObject(told ? [{ error: known }] : []);
      expect(agent.of('state').some(({ state }) => state === 'retrying')).toBe(told);
    }),
  );

  it.each([
    ['rate_limited', { kind: 'rate_limit', status: 429 }],
    ['overloaded', { kind: 'overloaded', status: 529 }],
    ['broken', { kind: 'server', status: 500 }],
    ['cut', { kind: 'network', status: null }],
  ] as const)('says so when the model is %s, and hears the next message', (fault, error) =>
    row.play(asks(fault), async ({ agent, subject }) => {
      const { retries, modelErrors } = subject.driver.caps;
      if (retries === 'told') {
        const turn = await agent.until('turn_end');
        const known = modelErrors === 'status' ? error : { status: null };
        expect(turn).toMatchObject({ outcome: 'failed', error: known });
        expect(agent.of('retry').length).toBeGreaterThan(0);
      } else {
        await agent.until('stalled');
        expect(await agent.session.interrupt()).toBe(true);
        expect(agent.of('retry')).toEqual([]);
      }
      expect(agent.of('limit')).toEqual([]);
      await agent.session.send(said(subject.prompt('hello')));
      await agent.until('turn_end', ({ outcome }) => outcome === 'completed');
      expect(agent.said()).toContain('Hello');
    }),
  );

  it.each(['hanging', 'hanging_midway'] as const)(
    'tells of a model that is %s, and can be broken off',
    (fault) =>
      row.play(asks(fault), async ({ agent, subject }) => {
        const stalled = await agent.until('stalled', ({ count }) => count === 2);
        expect(stalled.silentMs).toBeGreaterThanOrEqual(600);
        const { interrupt } = subject.driver.caps;
        expect(await agent.session.interrupt()).toBe(interrupt);
        if (!interrupt) return;
        expect(await agent.until('turn_end')).toMatchObject({ outcome: 'interrupted' });
        await agent.session.send(said(subject.prompt('hello')));
        await agent.until('turn_end', ({ outcome }) => outcome === 'completed');
        expect(agent.said()).toContain('Hello');
      }),
  );
}
