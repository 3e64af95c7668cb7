/** The caller gets an answer in time, whatever the other side does. */
import { describe, expect, it } from 'vitest';
import { DeadlineError, withDeadline } from './deadline.ts';

describe('withDeadline', () => {
  it('passes results and errors through', async () => {
    expect(await withDeadline(1_000, () => 7)).toBe(7);
    await expect(withDeadline(1_000, () => Promise.reject(new Error('own')))).rejects.toThrow(
      'own',
    );
    await expect(
      withDeadline(1_000, () => {
        throw new Error('sync');
      }),
    ).rejects.toThrow('sync');
  });

  it('rejects after its time, aborts the signal with the same error, swallows what comes later', async () => {
    let signal: AbortSignal | undefined;
    const late = Promise.withResolvers<never>();
    const work = withDeadline(
      5,
      (given) => {
        signal = given;
        return late.promise;
      },
      'asking redis',
    );
    const error = await work.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(DeadlineError);
    expect(error).toMatchObject({ message: 'asking redis took longer than 5 ms', deadlineMs: 5 });
    expect(signal?.reason).toBe(error);
    late.reject(new Error('nobody waits for this'));
    await new Promise((resolve) => setImmediate(resolve));
  });
});
