/** How a followed contract stands: whether that ends the following, with which exit code, in which words. */
import type { Client } from '@makima/client/client';
import type { Contract } from '@makima/contracts/entity/contract';
import { exitCodes } from './exit-code.ts';
import { oneLine } from './plain.ts';
import type { Shell } from './shell.ts';

/** The last words on a contract whose following ends with this exit code. */
export async function sayEnd(
  shell: Shell,
  client: Client,
  end: { contract: Contract; exitCode: number },
): Promise<void> {
  const { contract, exitCode } = end;
  if (shell.format === 'json') {
    const { id, slug, status, waitingFor, failureReason } = contract;
    shell.jsonLine({ contract: id, slug, status, waitingFor, failureReason, exitCode });
  } else if (exitCode === exitCodes.waitsForPerson) await sayWhatWaits(shell, client, contract);
  else shell.say(endOf(contract));
}

/** Undefined while it goes on. A person at the terminal can answer, so there it goes on. */
export function outcomeOf(
  contract: Contract,
  options: { personIsHere: boolean },
): number | undefined {
  switch (contract.status) {
    case 'completed':
      return exitCodes.ok;
    case 'failed':
      return exitCodes.endedBadly;
    case 'archived':
      return contract.failureReason === null ? exitCodes.ok : exitCodes.endedBadly;
    case 'waiting_for_input':
    case 'blocked':
    case 'paused':
      return options.personIsHere ? undefined : exitCodes.waitsForPerson;
    case 'created':
    case 'active':
    case 'completing':
      return undefined;
  }
}

function endOf(contract: Contract): string {
  const reason = contract.failureReason === null ? '' : `: ${oneLine(contract.failureReason)}`;
  return `${contract.slug} is ${contract.status}${reason}`;
}

async function sayWhatWaits(shell: Shell, client: Client, contract: Contract): Promise<void> {
  const { items } = await client.call('listQuestions', {
    query: { status: 'open', contractId: contract.id },
  });
  shell.say(`${contract.slug} waits for a person (${contract.status.replaceAll('_', ' ')})`);
  for (const question of items) {
    shell.say(`  ! ${oneLine(question.question)}`);
    shell.say(`    makima answer ${question.id} <answer>`);
  }
  if (items.length === 0) shell.say(`    makima why ${contract.slug}`);
}
