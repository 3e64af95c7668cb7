// The real Claude Code at rest: parked while it waits, and at its usage limit until that ends, both times
// without a process and without a request to its model.
// Why: that a conversation goes on after its process was ended in the middle of a tool call is the agent's
// own doing; only the real one can show it.
// Law: the model decides by what it has read; its log is the witness of what was asked of it, and when.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchClaude } from '@makima/mock-model/fetch-agents';
import type { ModelRequest, Reply } from '@makima/mock-model/reply';
import { startMockModel, type MockModel } from '@makima/mock-model/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAlive } from './agents.ts';
import { startContract, taskNamed } from './contract.ts';
import { followStory } from './story.ts';
import { expectInvariants, inOrder, openHouse, type House } from './house.ts';
import { makeRepository } from './repository.ts';

const program = await fetchClaude();

const use = (text: string, name: string, input: Record<string, unknown>): Reply => ({
  text,
  tools: [{ name: `mcp__makima__makima_${name}`, input }],
});

/** Asks a person, and goes on with what it is told, as a tool's result or as a message. */
function asks({ messages }: ModelRequest): Reply {
  const heard = messages.filter(({ role }) => role !== 'assistant').map(({ text }) => text);
  const has = (words: string): boolean => heard.some((text) => text.includes(words));
  if (has('Which colour? -> blue') || has('"response":"blue"')) return { text: 'It is blue.' };
  return use('I ask a person.', 'ask', { question: 'Which colour?', choices: ['red', 'blue'] });
}

/** How many requests came before the limit was over. */
let refused = 0;

/** Works, meets the limit of its plan at its second request until that is over, then finishes. */
const limitMs = 8_000;
let resetsAtSeconds = 0;
function tired({ messages }: ModelRequest): Reply {
  if (!messages.some(({ role }) => role === 'tool')) {
    const command = 'printf "warm\\n" > greeting.txt && git add --all && git commit -qm greet';
    return {
      text: 'I write.',
      tools: [{ name: 'Bash', input: { command, description: 'Write' } }],
    };
  }
  resetsAtSeconds ||= Math.ceil((Date.now() + limitMs) / 1_000);
  if (Date.now() >= resetsAtSeconds * 1_000) return { text: 'It is written.' };
  refused += 1;
  return {
    error: { status: 429, type: 'rate_limit_error', message: 'Over the limit.' },
    headers: {
      'anthropic-ratelimit-unified-status': 'rejected',
      'anthropic-ratelimit-unified-reset': String(resetsAtSeconds),
      'anthropic-ratelimit-unified-representative-claim': 'five_hour',
      'anthropic-ratelimit-unified-5h-status': 'rejected',
      'anthropic-ratelimit-unified-5h-reset': String(resetsAtSeconds),
      'anthropic-ratelimit-unified-5h-utilization': '1',
    },
  };
}

let house: House;
let model: MockModel;
const scratch = mkdtempSync(join(tmpdir(), 'makima-claude-'));
beforeAll(async () => {
  model = await startMockModel({ scripts: { asks: [asks], tired: [tired] } });
  house = await openHouse({
    env: {
      HOME: scratch,
      MAKIMA_CLAUDE_PATH: program,
      MAKIMA_COMPLETION_GRACE_PERIOD_MINUTES: '0',
      MAKIMA_PARK_AFTER_SECONDS: '1',
      CLAUDE_CONFIG_DIR: join(scratch, '.claude'),
      CLAUDE_CODE_MAX_RETRIES: '1',
      ANTHROPIC_BASE_URL: model.url,
      CLAUDE_CODE_OAUTH_TOKEN: 'test',
      ANTHROPIC_MODEL: 'claude-sonnet-4-5',
    },
  });
});
afterAll(async () => {
  await house.close();
  await model.close();
  rmSync(scratch, { recursive: true, force: true });
});

describe('Claude Code', () => {
  inOrder(() => house);

  it('is parked while a person thinks, and goes on in the same conversation with the answer', async () => {
    const { client } = house;
    const contract = await client.call('createContract', {
      body: {
        name: 'colour',
        description: 'A colour.',
        repositories: [{ localPath: makeRepository(join(house.dir, 'colour')) }],
        phaseGuard: false,
        agent: 'claude',
        supervisorPlan: 'Find a colour. [[script:asks]]',
      },
    });
    const story = followStory(client, contract.id);
    const started = await story.until('task.started');
    const asked = await story.until('question.asked');
    await story.until('supervisor.parked');
    expect(isAlive(Number(started.data['pid']))).toBe(false);
    const requests = model.log.length;
    await client.call('answerQuestion', {
      params: { id: String(asked.data['questionId']) },
      body: { response: 'blue' },
    });
    const resumed = await model.seen(
      ({ request, side }) =>
        !side && request.messages.some(({ text }) => text.includes('Which colour? -> blue')),
    );
    // Parked, it asked nothing of its model; woken, it reads its conversation, and the answer in the digest.
    expect(model.log.slice(requests).filter(({ side }) => !side)[0]).toBe(resumed);
    const said = await story.until('supervisor.state_changed', ({ data }) => data['to'] === 'idle');
    expect(said.data['activity']).toContain('its turn is over');
    const asking = model.log.filter(({ side }) => !side);
    expect(new Set(asking.map(({ request }) => request.session)).size).toBe(1);
    const read =
      asking
        .at(-1)
        ?.request.messages.map(({ text }) => text)
        .join('\n') ?? '';
    expect(read).toContain('I ask a person.');
    expect(read).toContain('A question of yours was answered.');
    const count = (type: string) => story.events.filter((event) => event.type === type).length;
    expect([count('question.asked'), count('supervisor.restored')]).toEqual([1, 0]);
    story.close();
    await expectInvariants(house);
  });

  it('at its usage limit rests until that is over, and finishes in the same conversation', async () => {
    const { client } = house;
    const job = await startContract(
      house,
      [
        { spawn: { name: 'greet', plan: 'Write. [[script:tired]]', agent: 'claude' }, as: 'greet' },
        { wait: ['${greet}'], as: 'ended' },
        { say: 'It said: ${ended.tasks.0.summary}' },
      ],
      { name: 'tired' },
    );
    const taskId = await taskNamed(job, 'greet');
    const limited = await job.story.until('task.limited');
    expect(limited.data).toMatchObject({ agent: 'claude', window: 'five_hour' });
    expect(Date.parse(String(limited.data['until']))).toBe(resetsAtSeconds * 1_000 + 1_000);
    const refusedThen = refused;
    const started = await job.story.until('task.started', (event) => event.taskId === taskId);
    expect(isAlive(Number(started.data['pid']))).toBe(false);
    const again = await job.story.until(
      'task.started',
      ({ data, taskId: id }) => id === taskId && data['attempt'] === 2,
    );
    expect(Date.parse(again.time)).toBeGreaterThanOrEqual(resetsAtSeconds * 1_000);
    // While it rested, its model was asked nothing.
    expect(refused).toBe(refusedThen);
    const done = await job.story.until('task.completed', (event) => event.taskId === taskId);
    expect(done.data['summary']).toBe('It is written.');
    const mine = model.log.filter(({ script, side }) => script === 'tired' && !side);
    expect(new Set(mine.map(({ request }) => request.session)).size).toBe(1);
    const task = await client.call('getTask', { params: { id: taskId } });
    expect(task).toMatchObject({ status: 'done', retryCount: 0, attempt: 2 });
    job.story.close();
    await expectInvariants(house);
  });
});
