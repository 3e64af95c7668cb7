/** Numbers between two sides: cursors, runs and frames one by one. Their life together is simulated in the daemon. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterAck,
  afterSend,
  cursorAt,
  earlyRunsMax,
  isOtherHistory,
  judgeFrame,
  rewound,
  takeRuns,
  type Run,
} from './sequence.ts';

describe('a cursor', () => {
  it('believes no ack beyond what went, and none that is older', () => {
    const sent = afterSend(cursorAt(3), 7);
    expect(sent).toEqual({ ackedSeq: 3, sentSeq: 7, highestSeq: 7 });
    expect(afterAck(sent, 99).ackedSeq).toBe(7);
    expect(afterAck(afterAck(sent, 6), 4).ackedSeq).toBe(6);
  });

  it('starts over from the ack, and still believes a late ack of what went before', () => {
    const again = rewound(afterAck(afterSend(cursorAt(0), 9), 4));
    expect(again).toEqual({ ackedSeq: 4, sentSeq: 4, highestSeq: 9 });
    expect(afterAck(again, 8)).toEqual({ ackedSeq: 8, sentSeq: 8, highestSeq: 9 });
  });
});

describe('runs', () => {
  const run = (after: number, ...seqs: number[]): Run<string> => ({
    after,
    items: seqs.map((seq) => ({ seq, item: `command ${seq}` })),
  });
  const taken = (from: number, ...runs: Run<string>[]) => {
    const { fresh, early } = takeRuns(from, runs);
    return { fresh: fresh.map(({ seq }) => seq), early: early.map(({ after }) => after) };
  };

  it('are taken once, in order, and wait for one that is under way', () => {
    expect(taken(0, run(2, 3, 4), run(0, 1, 2))).toEqual({ fresh: [1, 2, 3, 4], early: [] });
    expect(taken(0, run(2, 3, 4))).toEqual({ fresh: [], early: [2] });
    expect(taken(3, run(2, 3, 4), run(0, 1, 2))).toEqual({ fresh: [4], early: [] });
  });

  it('may leave numbers out: those were withdrawn', () => {
    expect(taken(1, run(1, 4, 7))).toEqual({ fresh: [4, 7], early: [] });
  });

  it('wait in bounded number', () => {
    const many = Array.from({ length: earlyRunsMax + 5 }, (_, i) => run(10 + i, 11 + i));
    expect(takeRuns(0, many).early).toHaveLength(earlyRunsMax);
  });
});

describe('a frame of reports', () => {
  const held = { appliedSeq: 5, sessionEpoch: 2 };
  const frame = { sessionEpoch: 2, fromSeq: 4, count: 4 };

  it('is stored from the first that is not known', () => {
    expect(judgeFrame(held, frame)).toEqual({ kind: 'fresh', skip: 2, endSeq: 7 });
    expect(judgeFrame(held, { ...frame, fromSeq: 6 })).toEqual({
      kind: 'fresh',
      skip: 0,
      endSeq: 9,
    });
    expect(judgeFrame(held, { ...frame, count: 2 })).toEqual({ kind: 'known' });
  });

  it('is refused when it leaves a gap or comes over an older connection', () => {
    expect(judgeFrame(held, { ...frame, fromSeq: 8 })).toEqual({
      kind: 'gap',
      fromSeq: 6,
      toSeq: 7,
    });
    for (const sessionEpoch of [1, 3, undefined])
      expect(judgeFrame({ ...held, sessionEpoch }, frame)).toEqual({ kind: 'old_session' });
  });

  it('adds up to every report once, however frames overlap', () => {
    const frames = fc.array(
      fc.tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 9 })),
    );
    fc.assert(
      fc.property(frames, (all) => {
        let appliedSeq = 0;
        const stored: number[] = [];
        for (const [fromSeq, count] of all) {
          const verdict = judgeFrame(
            { appliedSeq, sessionEpoch: 1 },
            { sessionEpoch: 1, fromSeq, count },
          );
          if (verdict.kind !== 'fresh') continue;
          for (let i = verdict.skip; i < count; i += 1) stored.push(fromSeq + i);
          appliedSeq = verdict.endSeq;
        }
        expect(stored).toEqual(Array.from({ length: appliedSeq }, (_, i) => i + 1));
      }),
    );
  });
});

describe('another history', () => {
  it('is one that forgot what it acked, or knows what was never written', () => {
    const journal = { ackedSeq: 3, lastReportSeq: 6 };
    expect([2, 3, 6, 7].map((applied) => isOtherHistory(journal, applied))).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });
});
