/**
 * Commits of other machines, fetched in parts from the control plane.
 *
 * Law: a control plane that is away is asked again for a while; a refusal is one at once. A branch that moves on
 * while it is fetched is fetched as it stands then.
 */
import { MakimaError } from '@makima/domain/error';
import type { ContractHead } from '@makima/contracts/socket/commands';
import type { DaemonContext } from '../context.ts';
import { withPatience } from '../session/patience.ts';
import type { CarriedBranch } from '../workspace/port.ts';

type Asking = Pick<DaemonContext, 'ask' | 'now' | 'config'>;

/** So often it may move on meanwhile. */
const triesMax = 5;

export async function fetchPack(
  context: Asking,
  pack: { readonly operationId: string; readonly parts: number },
  signal: AbortSignal = new AbortController().signal,
): Promise<Buffer | null> {
  const { operationId } = pack;
  const parts: Buffer[] = [];
  for (let part = 0; part < pack.parts; part++) {
    const ask = { kind: 'pack', operationId, part } as const;
    const { data } = await withPatience(context, { cancel: { signal } }, () => context.ask(ask));
    parts.push(Buffer.from(data, 'base64'));
  }
  return parts.length === 0 ? null : Buffer.concat(parts);
}

export async function fetchBranch(
  context: Asking,
  { contractId, commitSha }: ContractHead,
  signal: AbortSignal = new AbortController().signal,
): Promise<CarriedBranch> {
  const ask = { kind: 'branch', contractId, commitSha } as const;
  for (let tries = 1; ; tries++) {
    const head = await withPatience(context, { cancel: { signal } }, () => context.ask(ask));
    try {
      return { commitSha: head.commitSha, pack: await fetchPack(context, head, signal) };
    } catch (error) {
      const isGone = error instanceof MakimaError && !error.retryable;
      if (!isGone || tries === triesMax || signal.aborted) throw error;
    }
  }
}
