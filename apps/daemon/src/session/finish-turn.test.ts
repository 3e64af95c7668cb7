/** How long an agent that may end its turn is left to it. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { finishTurn } from './finish-turn.ts';
import type { Ending, LiveAttempt } from './live.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const ending: Ending = { outcome: 'stopped', summary: 'paused', error: null, graceMs: 5_000 };

function inTurn(): { live: LiveAttempt; stop: ReturnType<typeof vi.fn> } {
  const stop = vi.fn(() => Promise.resolve());
  const live = {
    agent: { stop },
    ending: null,
    afterTurn: null,
    undo: [],
    asked: new Map(),
    doing: { turn: true, tools: new Map() },
    mailbox: { close: () => undefined },
    cancel: new AbortController(),
  };
  return { live: live as never, stop };
}

it.each([
  ['sooner', 86_400_000, 60_000],
  ['later', 60_000, 86_400_000],
])('asked again, for %s, the time that is over first counts', (_name, first, second) => {
  const { live, stop } = inTurn();
  finishTurn(live, { ending, withinMs: first });
  finishTurn(live, { ending, withinMs: second });
  vi.advanceTimersByTime(59_999);
  expect(live.ending).toBeNull();
  vi.advanceTimersByTime(1);
  expect(live.ending).toBe(ending);
  expect(stop).toHaveBeenCalledTimes(1);
  for (const undo of live.undo) undo();
  expect(vi.getTimerCount()).toBe(0);
});
