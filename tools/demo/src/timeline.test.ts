// Events and words are told in the order in which they happened.
import { beforeEach, describe, expect, it } from 'vitest';
import { createTimeline, type Timeline } from './timeline.ts';

let now: number;
let told: string[];
let line: Timeline;
const event = (at: string): void => line.event(at, () => void told.push(`event ${at}`));
const word = (at: string): void => line.word(at, () => void told.push(`word ${at}`));

beforeEach(() => {
  now = 0;
  told = [];
  line = createTimeline({ settleMs: 100, nowMs: () => now });
});

describe('a timeline', () => {
  it('lets an event wait for words that were said before it', () => {
    event('2');
    line.play();
    expect(told).toEqual([]);
    word('1');
    word('3');
    line.play();
    expect(told).toEqual(['word 1']);
    now = 100;
    line.play();
    expect(told).toEqual(['word 1', 'event 2', 'word 3']);
  });

  it('keeps events in the order in which they came, whatever their clocks say', () => {
    event('5');
    event('4');
    word('4');
    line.end();
    expect(told).toEqual(['word 4', 'event 5', 'event 4']);
  });

  it('does not hold words back', () => {
    word('1');
    line.play();
    expect(told).toEqual(['word 1']);
  });

  it('shows everything at its end, also what is put in while it shows', () => {
    line.event('1', () => event('2'));
    line.end();
    expect(told).toEqual(['event 2']);
  });
});
