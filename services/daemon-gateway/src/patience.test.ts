/** Patience: only with a store that is away, only for so long, and only while the connection lives. */
import { describe, expect, it } from 'vitest';
import { MakimaError } from '@makima/domain/error';
import { closeFor, closeLabel, closes } from './close.ts';
import { patiently } from './patience.ts';

const away = new MakimaError('DEPENDENCY_UNAVAILABLE', 'away', { retryable: true });

function failing(times: number, error: Error) {
  let calls = 0;
  const work = async (): Promise<number> => {
    calls += 1;
    if (calls <= times) throw error;
    return calls;
  };
  return { work, calls: () => calls };
}

describe('patience', () => {
  const alive = new AbortController().signal;

  it('tries again while the store is away', async () => {
    const { work } = failing(2, away);
    expect(await patiently({ signal: alive, limitMs: 5_000 }, work)).toBe(3);
  });

  it('ends with its time, with a no, and with the connection', async () => {
    const long = failing(100, away);
    await expect(patiently({ signal: alive, limitMs: 300 }, long.work)).rejects.toBe(away);
    expect(long.calls()).toBeGreaterThan(1);
    const no = failing(100, new MakimaError('FENCED', 'no'));
    await expect(patiently({ signal: alive, limitMs: 5_000 }, no.work)).rejects.toThrow('no');
    expect(no.calls()).toBe(1);
    const over = new AbortController();
    const gone = failing(100, away);
    const waiting = patiently({ signal: over.signal, limitMs: 60_000 }, gone.work);
    over.abort();
    await expect(waiting).rejects.toBe(away);
    expect(gone.calls()).toBe(1);
  });
});

describe('an error', () => {
  it('has its close', () => {
    expect(closeFor(away)).toBe(closes.away);
    expect(closeFor(new Error('bug'))).toBe(closes.broken);
    expect(closeFor(new MakimaError('FENCED', ''))).toBe('fenced');
    expect(closeFor(new MakimaError('FENCED', '', { details: { appliedSeq: 3 } }))).toBe(
      closes.gap,
    );
    expect(closeFor(new MakimaError('UNAUTHENTICATED', ''))).toBe(closes.revoked);
    expect(closeFor(new MakimaError('FORBIDDEN', ''))).toBe(closes.foreign);
    expect(closeFor(new MakimaError('CONFLICT', ''))).toBe(closes.broken);
    expect(closeLabel({ code: 4999, reason: '' })).toBe('other');
    expect(closeLabel(closes.slow)).toBe('4408');
  });
});
