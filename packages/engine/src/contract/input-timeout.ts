/**
 * A contract that nobody answers is paused after the input timeout, and goes on when a person answers after
 * all. Its questions stay open: a question never answers itself because of a time.
 *
 * Law: a pause by this timer is told from a person's pause by its reason in `blockedReason`.
 */
import { lockContract } from '@makima/db/repo/contracts';
import { isUnanswered } from '@makima/db/repo/contract-timers';
import type { ContractRow } from '@makima/db/rows';
import { act, type Act, type Acted, type Engine } from '../context.ts';
import type { Person, System } from '../principal.ts';
import { moveContract } from './move.ts';
import { pauseTasks, resumeTasks } from './pause.ts';

/** Answers whether it was paused now. */
export function pauseUnanswered(
  engine: Engine,
  caller: System,
  input: { id: string },
): Promise<Acted<boolean>> {
  return act(engine, { caller }, async (a) => {
    const { inputTimeoutMs } = engine.settings;
    const about = { ownerId: a.ownerId, id: input.id };
    const contract = await lockContract(a.tx, { ...about, strength: 'update' });
    if (contract?.status !== 'waiting_for_input' || inputTimeoutMs === null) return false;
    const unanswered = { contractId: contract.id, unansweredMs: inputTimeoutMs };
    if (!(await isUnanswered(a.tx, unanswered))) return false;
    const waitedFor = contract.waitingFor?.replaceAll('_', ' ') ?? 'question';
    const words = `nobody answered its ${waitedFor} for ${hoursOf(inputTimeoutMs)}`;
    await moveContract(a, contract, { to: 'paused', blockedReason: words });
    await pauseTasks(a, contract, { words, why: 'pause' });
    return true;
  });
}

/** The contract as a person who answers finds it: active again, if only an answer was missing. */
export async function goOnAnswered(
  a: Act,
  contract: ContractRow,
  person: Person,
): Promise<ContractRow> {
  if (contract.status !== 'paused' || contract.blockedReason === null) return contract;
  const words = `${person.name} answered`;
  const row = await moveContract(a, contract, { to: 'active', reason: words });
  await resumeTasks(a, row, words);
  return row;
}

function hoursOf(ms: number): string {
  const hours = ms / 3_600_000;
  return hours === 1 ? 'an hour' : `${Number(hours.toFixed(1))} hours`;
}
