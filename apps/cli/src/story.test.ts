/** Every event has its line in the story, one line whatever is in it. */
import pc from 'picocolors';
import { describe, expect, it } from 'vitest';
import { eventTypes, type EventType } from '@makima/contracts/entity/event';
import { sampleEvent, sampleId } from '@makima/client/testing/samples';
import { storyAct, storyContext, storyLine } from './story.ts';

const context = (columns = Infinity, showContract = false): ReturnType<typeof storyContext> =>
  storyContext({ colors: pc.createColors(false), columns, ellipsis: '…' }, { showContract });

const taskId = sampleId('task', 2);

describe('storyLine', () => {
  it.each(eventTypes)('tells %s even when it says nothing', (type) => {
    const line = storyLine(sampleEvent(1, type), context());
    expect(line).toMatch(/^\d\d:\d\d:\d\d {2}\S \S.* \S/);
    expect(line).not.toContain('undefined');
  });

  it('learns names from what it tells', () => {
    const story = context();
    const born = sampleEvent(1, 'task.spawned', {
      taskId,
      data: { name: 'write tests', agent: 'claude' },
    });
    const started = sampleEvent(2, 'task.started', { taskId, data: { attempt: 2, pid: 77 } });
    expect(storyLine(started, story)).toContain('task 0199a5b2, attempt 2, pid 77');
    expect(storyLine(born, story)).toContain('+ task       write tests for claude');
    expect(storyLine(started, story)).toContain('> started    write tests, attempt 2, pid 77');
  });

  it('says of which contract, when there are several', () => {
    const story = context(Infinity, true);
    const created = sampleEvent(1, 'contract.created', { data: { slug: 'fix-login' } });
    storyLine(created, story);
    expect(storyLine(sampleEvent(2, 'contract.ready'), story)).toContain('fix-login  everything');
  });

  it('shows a question with its choices and the command that answers', () => {
    const questionId = sampleId('question', 1);
    const data = { question: 'Which one?', choices: ['Google', 'GitHub'], questionId };
    const asked = sampleEvent(1, 'question.asked', { data });
    const story = context();
    expect(storyLine(asked, story)).toContain('! question   Which one? [1 Google | 2 GitHub]');
    expect(storyAct(asked)).toBe(`makima answer ${questionId} <number or words>`);
    const again = sampleEvent(2, 'question.redelivered', { data: { questionId } });
    expect(storyLine(again, story)).toContain('asked again after a restart: Which one?');
  });

  it('tells why a supervisor rests and goes on', () => {
    const line = (type: EventType, data: Record<string, unknown>): string =>
      storyLine(sampleEvent(1, type, { data }), context());
    expect(line('supervisor.parked', { state: 'waiting_for_user' })).toContain(
      'the supervisor waits for an answer without a process, at no cost',
    );
    const limit = { agent: 'claude', until: '2030-01-01T12:00:00.000Z', asks: false };
    expect(line('task.limited', limit)).toContain(
      'is at the usage limit of claude until 2030-01-01 12:00:00Z; it goes on by itself then',
    );
    expect(line('task.limited', { ...limit, asks: true })).toContain('you decide whether');
    expect(line('supervisor.woken', { reason: 'answered' })).toContain('it was answered');
    expect(line('supervisor.woken', { reason: 'of another kind' })).toContain('of another kind');
  });

  it.each<EventType>(['question.asked', 'task.completed', 'task.spawned'])(
    'stays one harmless line, whatever an agent wrote (%s)',
    (type) => {
      const evil = `\u001b]0;x\u0007a\nb\u001b[2J${'c'.repeat(500)}`;
      const data = { question: evil, name: evil, summary: evil, choices: [evil] };
      const line = storyLine(sampleEvent(1, type, { taskId, data }), context(80));
      expect(line).toMatch(/^[\x20-\x7e…]+$/);
      if (!type.startsWith('question.')) expect(line).toHaveLength(80);
    },
  );
});
