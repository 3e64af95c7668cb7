/** How a task rests is told by its word, its glyph and its place among the others. */
import { describe, expect, it } from 'vitest';
import { sampleTask } from '@makima/client/testing/samples';
import { statusWord, taskGlyph } from './task-sign.ts';

describe('a task that rests', () => {
  it.each([
    ['parked', 'parked', '>'],
    ['limited', 'limited', '~'],
    ['none', 'paused', '='],
  ] as const)('with session %s is %s', (session, word, glyph) => {
    const task = sampleTask(1, { status: 'paused', session });
    expect([statusWord(task), taskGlyph(task)]).toEqual([word, glyph]);
  });
});
