// A real agent that a person resumes, in each of the three modes: what it reads, which conversation it goes
// on in, which files it finds.
// Why: what a resumed conversation holds is the agent's own doing; only the real program can show it.
// Law: the model does what the person says; its log is the witness of what the agent has read.
import { join } from 'node:path';
import type { ModelMessage, ModelRequest, Reply, Scripts } from '@makima/mock-model/reply';
import type { LoggedRequest, MockModel } from '@makima/mock-model/server';
import { expect, it } from 'vitest';
import { expectInvariants, type House } from './house.ts';
import type { GreetingForms } from './real-agent.ts';
import { makeRepository } from './repository.ts';
import { followStory } from './story.ts';

const writeSecond = 'Write the second note.';
const lookAround = 'Look at what is there.';

const heardBy = ({ messages }: ModelRequest, words: string): boolean =>
  messages.some(({ role, text }) => role !== 'assistant' && text.includes(words));
const saidBy = ({ messages }: ModelRequest, words: string): boolean =>
  messages.some(({ role, text }) => role === 'assistant' && text.includes(words));

/** What the model answers. */
export function notesScripts({ shell, prefix = 'mcp__makima__' }: GreetingForms): Scripts {
  const write = (name: string): string =>
    `mkdir -p notes && printf "${name}\\n" > notes/${name}.txt && git add --all && git commit -qm ${name}`;
  const notes = (request: ModelRequest): Reply => {
    const once = (text: string, tool: () => NonNullable<Reply['tools']>[number]) =>
      saidBy(request, text) ? undefined : { text, tools: [tool()] };
    if (heardBy(request, lookAround))
      return once('I look.', () => shell('ls notes')) ?? { text: 'I have looked.' };
    if (heardBy(request, writeSecond))
      return (
        once('I write the second.', () => shell(write('second'))) ?? { text: 'It is written.' }
      );
    const keep = { name: `${prefix}makima_checkpoint`, input: { message: 'the first note' } };
    return (
      once('I write the first.', () => shell(write('first'))) ??
      once('I keep it.', () => keep) ?? { text: 'It is kept.' }
    );
  };
  return { notes: [notes] };
}

export function isResumedByAPerson(
  kind: string,
  stage: () => { readonly house: House; readonly model: MockModel },
): void {
  it('is resumed by a person: in its conversation, from a checkpoint, at the start of its phase', async () => {
    const { house, model } = stage();
    const { client } = house;
    const contract = await client.call('createContract', {
      body: {
        name: 'notes',
        description: 'Notes.',
        repositories: [{ localPath: makeRepository(join(house.dir, 'notes')) }],
        phaseGuard: false,
        agent: kind,
        supervisorPlan: 'Take notes. [[script:notes]]',
      },
    });
    const params = { id: contract.id };
    const story = followStory(client, contract.id);
    /** This attempt has begun, said these words and ended its turn. */
    const attemptDid = async (attempt: number, words: string): Promise<LoggedRequest> => {
      const started = await story.until('task.started', ({ data }) => data['attempt'] === attempt);
      await story.until(
        'supervisor.state_changed',
        (event) => event.data['to'] === 'idle' && (event.seq ?? 0) > (started.seq ?? 0),
      );
      const asked = model.log.findLast((one) => one.script === 'notes' && !one.side);
      if (asked === undefined) throw new Error('nothing was asked of the model');
      expect(asked.request.messages.map(textOf).join('\n')).toContain(words);
      return asked;
    };
    const resume = async (resumeMode: string, additionalContext: string) => {
      await client.call('changeStatus', { params, body: { targetStatus: 'paused' } });
      const body = { resumeMode, additionalContext };
      return client.call('resumeSupervisor', { params, body });
    };

    const first = await attemptDid(1, 'I keep it.');

    // In its conversation, with what the person says beside what happened.
    const goesOn = await resume('continue', writeSecond);
    expect(goesOn).toMatchObject({
      status: 'pending',
      resumedFrom: { phase: 'plan' },
      restoration: { restorationCount: 1, pendingQuestionsCount: 0, warnings: [] },
    });
    expect(goesOn.resumedFrom.messageCount).toBeGreaterThan(0);
    const second = await attemptDid(2, 'I write the second.');
    expect(second.request.session).toBe(first.request.session);
    expect(saidBy(second.request, 'I write the first.')).toBe(true);
    expect(heardBy(second.request, 'Your session continues where it was.')).toBe(true);

    // From the checkpoint: another conversation, told of the former one, with the files as they were then.
    const goesBack = await resume('from_checkpoint', lookAround);
    expect(goesBack.restoration).toMatchObject({ restorationCount: 2, previousState: 'idle' });
    const third = await attemptDid(3, 'I look.');
    expect(third.request.session).not.toBe(first.request.session);
    expect(saidBy(third.request, 'I write the first.')).toBe(false);
    expect(heardBy(third.request, 'You start from the last checkpoint')).toBe(true);
    expect(heardBy(third.request, 'assistant: I write the first.')).toBe(true);
    const found = third.request.messages.findLast(({ role }) => role === 'tool')?.text ?? '';
    expect(found).toContain('first.txt');
    expect(found).not.toContain('second.txt');

    // At the start of its phase: an empty conversation, and a warning that says so.
    const begins = await resume('restart_phase', lookAround);
    expect(begins.restoration).toMatchObject({
      restorationCount: 3,
      warnings: [expect.stringContaining('Phase plan is begun anew with an empty conversation')],
    });
    const fourth = await attemptDid(4, 'I look.');
    expect(fourth.request.session).not.toBe(third.request.session);
    expect(heardBy(fourth.request, 'I write the first.')).toBe(false);
    expect(heardBy(fourth.request, 'Phase plan is begun anew')).toBe(true);

    await client.call('changeStatus', {
      params,
      body: { targetStatus: 'failed', reason: 'seen enough' },
    });
    expect(await story.end()).toBe('failed');
    story.close();
    await expectInvariants(house);
  });
}

const textOf = ({ text }: ModelMessage): string => text;
