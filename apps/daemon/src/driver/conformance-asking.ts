/** Conformance: an agent that must ask before it acts. */
import { afterAll, expect, it } from 'vitest';
import type { RowCase } from './conformance-row.ts';
import { deed, rowOf } from './conformance-row.ts';
import type { Candidate, Deed } from './conformance-stage.ts';
import { git, onStage, reasonOf, said } from './conformance-stage.ts';
import type { PermissionAnswer } from './driver.ts';

export function askingCases(candidate: Candidate): void {
  const row = rowOf(candidate, { permission: 'ask' });
  afterAll(row.close);

  /** A kind that cannot ask is not started where it must. */
  const mustAsk = async (name: Deed, rowCase: RowCase): Promise<void> => {
    let canAsk = false;
    await onStage(candidate, async ({ start, subject }) => {
      canAsk = subject.driver.caps.permissions;
      if (canAsk) return;
      const spec = { permission: 'ask', prompt: said(subject.prompt(name)) } as const;
      expect(await reasonOf(start(spec))).toBe('bad_spec');
    });
    if (canAsk) await row.play(deed(name), rowCase);
  };

  it.each([
    [{ allow: true }, 'add hello\nstart'],
    [{ allow: false, message: 'Not on a Friday.' }, 'start'],
  ] as const)('acts only with permission where it must ask: %j', (verdict, log) =>
    mustAsk('commit', async ({ agent, repo }) => {
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
    mustAsk('tool', async ({ agent, tools }) => {
      await agent.until('turn_end');
      expect(agent.of('permission')).toEqual([]);
      expect(tools.calls).toHaveLength(1);
    }));
}
