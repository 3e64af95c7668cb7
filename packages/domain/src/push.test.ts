/** Events as messages for a phone: short, urgent where somebody waits, silent where nobody needs to know. */
import { describe, expect, it } from 'vitest';
import { cancelledReason } from './contract.ts';
import { personNeeded, pushOf } from './push.ts';

const question = { question: 'Which one?', choices: ['red', 'blue'] };
const of = (type: string, data: Record<string, unknown> = {}, contract: string | null = 'fix-it') =>
  pushOf({ type, data, contract });

describe('a push', () => {
  it.each([
    ['general', 'fix-it asks', 'question'],
    ['permission', 'fix-it asks for permission', 'key'],
    ['phase_confirmation', 'fix-it needs your word', 'lock'],
    ['contract_complete', 'fix-it needs your word', 'lock'],
  ])('of a question of type %s', (questionType, title, tag) => {
    expect(of('question.asked', { ...question, questionType, tool: 'Bash' })).toEqual({
      title,
      message: 'Which one?\n1 red\n2 blue',
      priority: 4,
      tags: [tag],
    });
  });

  it('of what went wrong says why', () => {
    expect(of('contract.failed', { reason: 'gave up' })).toMatchObject({
      title: 'fix-it failed',
      message: 'gave up',
      priority: 4,
    });
    expect(of('supervisor.blocked', { reason: 'five crashes' })?.title).toBe('fix-it is blocked');
    expect(of('daemon.lost', { name: 'ci-2' }, null)?.title).toBe('ci-2 is lost');
    expect(of('daemon.lost', {}, null)?.title).toBe('A machine is lost');
    expect(of('webhook.quarantined', { name: 'ops', reason: '410' }, null)).toMatchObject({
      title: 'Webhook ops is set aside',
      message: '410',
    });
  });

  it('of a gate that is met is sent when nothing follows by itself', () => {
    expect(of('contract.ready', { phase: 'plan', byItself: true })).toBeNull();
    expect(of('contract.ready', { phase: 'plan', byItself: false })).toEqual({
      title: 'fix-it is ready',
      message: 'plan is done, and it goes on when you say so.',
      priority: 3,
      tags: ['white_check_mark'],
    });
  });

  it('of a budget says whose and how much', () => {
    const words = '$8.10 of $10.00 (81 %)';
    expect(of('budget.warned', { scope: 'contract', words })).toEqual({
      title: 'fix-it has used most of its budget',
      message: words,
      priority: 3,
      tags: ['moneybag'],
    });
    const task = { scope: 'task', words, name: 'tests' };
    expect(of('budget.reached', task)?.title).toBe('tests of fix-it has used up its budget');
    expect(of('budget.reached', { scope: 'task' })?.title).toContain('A task of fix-it');
  });

  it('of anything else is quiet, and of what a person did themselves there is none', () => {
    expect(of('task.merged', {}, null)).toEqual({
      title: 'makima: task.merged',
      message: '',
      priority: 2,
      tags: [],
    });
    expect(of('contract.failed', { reason: `${cancelledReason}: no need` })).toBeNull();
  });

  it('is short whatever is asked, and bears facts that are missing', () => {
    const long = of('question.asked', { question: '🙂'.repeat(5_000), choices: 'none' });
    expect(Array.from(long?.message ?? '')).toHaveLength(1_000);
    expect(long?.message.endsWith('…')).toBe(true);
    expect(Array.from(of('contract.failed', {}, 'x'.repeat(500))?.title ?? '')).toHaveLength(120);
    for (const type of personNeeded) expect(of(type)).not.toBeNull();
  });
});
