/**
 * Patience of a start with a control plane that is away: what it needs is asked for again, for a bounded time.
 *
 * Law: a refusal is one at once; a start that is called off waits for nobody.
 */
import { MakimaError } from '@makima/domain/error';
import type { DaemonContext } from '../context.ts';
import { askAgain } from '../link/ask-again.ts';

/** Asks again while the control plane cannot be reached, for as long as a start may wait for it. */
export async function withPatience<T>(
  context: Pick<DaemonContext, 'now' | 'config'>,
  live: { readonly cancel: { readonly signal: AbortSignal } },
  ask: () => Promise<T>,
): Promise<T> {
  const { signal } = live.cancel;
  const patience = { now: context.now, patienceMs: context.config.timings.toolKeyMs, signal };
  return askAgain(patience, () => Promise.race([ask(), calledOff(signal)]));
}

function calledOff(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const refuse = (): void =>
      reject(new MakimaError('COMMAND_FAILED', 'The start was called off.'));
    if (signal.aborted) refuse();
    signal.addEventListener('abort', refuse, { once: true });
  });
}
