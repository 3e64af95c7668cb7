/** A start and a control plane that is away, refuses, or is called off. */
import { expect, it } from 'vitest';
import { MakimaError } from '@makima/domain/error';
import { withPatience } from './patience.ts';

const away = new MakimaError('DEPENDENCY_UNAVAILABLE', 'away', { retryable: true });
const context = (toolKeyMs: number) =>
  ({ now: () => performance.now(), config: { timings: { toolKeyMs } } }) as never;

it('asks again while it is away, and not after its time, a refusal or a word to stop', async () => {
  const cancel = new AbortController();
  let asked = 0;
  const second = (): Promise<string> =>
    ++asked === 2 ? Promise.resolve('key') : Promise.reject(away);
  expect(await withPatience(context(60_000), { cancel }, second)).toBe('key');
  await expect(withPatience(context(0), { cancel }, () => Promise.reject(away))).rejects.toBe(away);
  const refusal = new MakimaError('COMMAND_FAILED', 'no');
  await expect(
    withPatience(context(60_000), { cancel }, () => Promise.reject(refusal)),
  ).rejects.toBe(refusal);
  const waits = withPatience(context(60_000), { cancel }, () => new Promise(() => {}));
  cancel.abort();
  await expect(waits).rejects.toMatchObject({ message: 'The start was called off.' });
});
