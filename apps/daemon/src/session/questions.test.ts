/** Questions of agents, as they are reported: bounded whatever is asked. */
import { expect, it } from 'vitest';
import { wireLimits } from '@makima/contracts/limits';
import type { EventOf } from '../driver/events.ts';
import { openQuestions } from './questions.ts';
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
