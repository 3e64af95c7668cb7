/** Questions of agents, as they are reported and answered: bounded whatever is asked, never mixed up. */
import { describe, expect, it } from 'vitest';
import { wireLimits } from '@makima/contracts/limits';
import type { EventOf } from '../driver/events.ts';
import { answerQuestion, cancelQuestions, openQuestions } from './questions.ts';
import type { PermissionAnswer, QuestionAnswer } from '../driver/driver.ts';
import type { LiveAttempt } from './live.ts';

it('fits a frame however much an agent asks', () => {
  const live = { asked: new Map() } as unknown as LiveAttempt;
  const much = '\u0001'.repeat(200_000);
  const asked = openQuestions(live, {
    t: 'question',
    toolId: 'x'.repeat(10_000),
    requestId: 'r',
    questions: [
      {
        id: 'q',
        text: much,
        header: much,
        multi: false,
        options: Array.from({ length: 5_000 }, () => ({ label: much })),
      },
    ],
  } as unknown as EventOf<'question'>);
  expect(Buffer.byteLength(JSON.stringify(asked))).toBeLessThan(
    wireLimits.daemonFrameBytes - 4_096,
  );
  expect([...live.asked.keys()]).toEqual([asked[0]?.requestId]);
});

/** An attempt that knows what it asked and what its agent was told. */
function asking() {
  const told: [string, QuestionAnswer | PermissionAnswer][] = [];
  const agent = {
    answer: async (requestId: string, answer: QuestionAnswer | PermissionAnswer) => {
      told.push([requestId, answer]);
      return true;
    },
  };
  return { live: { asked: new Map(), agent } as unknown as LiveAttempt, told };
}

const permission = (input: unknown, requestId = 'r1'): EventOf<'permission'> => ({
  t: 'permission',
  requestId,
  toolId: 'call_1',
  tool: 'Bash',
  input,
  reason: null,
});
const message = (requestId: string, answer: string) => ({
  id: 'm',
  text: `in many words: ${answer}`,
  mode: 'queue' as const,
  requestId,
  answer,
});

describe('a permission', () => {
  it('shows the tool and its input', () => {
    const [asked] = openQuestions(asking().live, permission({ command: 'ls' }));
    expect(asked).toMatchObject({
      questionType: 'permission',
      question: 'May the agent use Bash?',
      choices: ['Allow', 'Deny'],
      tool: { name: 'Bash', input: { command: 'ls' } },
    });
  });

  it.each([
    ['Allow', { kind: 'permission', allow: true }],
    ['Deny', { kind: 'permission', allow: false, message: 'A person denied it.' }],
    ['deny: not on a Friday', { kind: 'permission', allow: false, message: 'not on a Friday' }],
    ['yes but not here', { kind: 'permission', allow: false, message: 'yes but not here' }],
  ])('answered with %j is told to the agent once', async (answer, verdict) => {
    const { live, told } = asking();
    const [asked] = openQuestions(live, permission({ command: 'ls' }));
    const name = asked?.requestId ?? '';
    expect(await answerQuestion(live, message(name, answer))).toBe(true);
    expect(told).toEqual([['r1', verdict]]);
    expect(await answerQuestion(live, message(name, answer))).toBe(false);
  });

  it('asked again under the same call is the same; of another input it is another', () => {
    const first = openQuestions(asking().live, permission({ command: 'ls' }))[0]?.requestId;
    const { live, told } = asking();
    expect(openQuestions(live, permission({ command: 'ls' }, 'r7'))[0]?.requestId).toBe(first);
    const other = openQuestions(live, permission({ command: 'rm' }, 'r8'))[0]?.requestId;
    expect(other).not.toBe(first);
    expect(told).toEqual([]);
  });

  it('that the agent gives up is named, and its answer is an ordinary message', async () => {
    const { live, told } = asking();
    const [asked] = openQuestions(live, permission({ command: 'ls' }));
    const name = asked?.requestId ?? '';
    expect(cancelQuestions(live, 'other')).toEqual([]);
    expect(cancelQuestions(live, 'r1')).toEqual([name]);
    expect(await answerQuestion(live, message(name, 'Allow'))).toBe(false);
    expect(told).toEqual([]);
  });
});

it('several questions of one request are answered together', async () => {
  const { live, told } = asking();
  const one = { multi: false, free: true, options: [] };
  const asked = openQuestions(live, {
    t: 'question',
    requestId: 'r1',
    toolId: 't',
    questions: [
      { ...one, id: 'q0', text: 'a?' },
      { ...one, id: 'q1', text: 'b?' },
    ],
  });
  const [a = '', b = ''] = asked.map(({ requestId }) => requestId);
  expect(await answerQuestion(live, message(b, 'second'))).toBe(true);
  expect(told).toEqual([]);
  expect(await answerQuestion(live, message(a, 'first'))).toBe(true);
  expect(told).toEqual([['r1', { kind: 'question', answers: { q0: ['first'], q1: ['second'] } }]]);
});
