/** Conformance: what cannot be done is told, with its reason, and leaves no process. */
import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Candidate } from './conformance-stage.ts';
import { onStage, said } from './conformance-stage.ts';
import { startFailureReason } from './start-failure.ts';

async function reasonOf(start: Promise<unknown>): Promise<string | null> {
  return start.then(
    () => 'it started',
    (cause: unknown) => startFailureReason(cause),
  );
}

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

  it('lets no agent go on that it could not find again', () =>
    onStage(candidate, async ({ start, root, subject }) => {
      const home = join(root, 'a-file');
      writeFileSync(home, '');
      const failed = start({ home, prompt: said(subject.prompt('hello')) });
      await expect(failed).rejects.toThrow();
    }));

  const { faults } = candidate;
  if (faults === null) {
    it('asks no model, so that none can fail it', () => {
      expect(candidate.faults).toBeNull();
    });
    return;
  }

  it.each([
    ['rate_limited_once', { kind: 'rate_limit', status: 429 }],
    ['cut_once', { status: null }],
  ] as const)('gets over a model that is %s by itself, and says so', (fault, error) =>
    onStage(candidate, async ({ start }) => {
      const agent = await start({ prompt: said(faults(fault)) });
      await agent.until('turn_end', ({ outcome }) => outcome === 'completed');
      expect(agent.of('retry')[0]).toMatchObject({ error });
      expect(agent.of('state').map(({ state }) => state)).toContain('retrying');
    }),
  );

  it.each([
    ['overloaded', { kind: 'overloaded', status: 529 }],
    ['broken', { kind: 'server', status: 500 }],
    ['cut', { kind: 'network', status: null }],
  ] as const)('ends the turn when the model is %s, and hears the next message', (fault, error) =>
    onStage(candidate, async ({ start, subject }) => {
      const agent = await start({ prompt: said(faults(fault)) });
      const turn = await agent.until('turn_end');
      expect(turn).toMatchObject({ outcome: 'failed', error });
      expect(agent.of('retry').length).toBeGreaterThan(0);
      await agent.session.send(said(subject.prompt('hello')));
      await agent.until('turn_end', ({ outcome }) => outcome === 'completed');
      expect(agent.said()).toContain('Hello');
    }),
  );

  it('tells of a model that says nothing, and can be broken off', () =>
    onStage(candidate, async ({ start, subject }) => {
      const limits = { startMs: 15_000, stallMs: 300 };
      const agent = await start({ limits, prompt: said(faults('hanging')) });
      const stalled = await agent.until('stalled', ({ count }) => count === 2);
      expect(stalled.silentMs).toBeGreaterThanOrEqual(600);
      expect(await agent.session.interrupt()).toBe(true);
      expect(await agent.until('turn_end')).toMatchObject({ outcome: 'interrupted' });
      await agent.session.send(said(subject.prompt('hello')));
      await agent.until('turn_end', ({ outcome }) => outcome === 'completed');
    }));
}
