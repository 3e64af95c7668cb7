/** How a followed contract stands: whether that ends the following, with which exit code, in which words. */
import type { Client } from '@makima/client/client';
import { deliveryWords } from '@makima/domain/delivery';
import type { Contract, ContractDetail } from '@makima/contracts/entity/contract';
import { exitCodes } from './exit-code.ts';
import { oneLine } from './plain.ts';
import { quoted } from './repository.ts';
import type { Shell } from './shell.ts';

/** The last words on a contract whose following ends with this exit code. */
export async function sayEnd(
  shell: Shell,
  client: Client,
  end: { contract: ContractDetail; exitCode: number },
): Promise<void> {
  const { contract, exitCode } = end;
  if (shell.format === 'json') {
    const { id, slug, status, waitingFor, failureReason, delivery } = contract;
    shell.jsonLine({ contract: id, slug, status, waitingFor, failureReason, delivery, exitCode });
  } else if (exitCode === exitCodes.waitsForPerson) await sayWhatWaits(shell, client, contract);
  else {
    shell.say(endOf(contract));
    for (const line of resultOf(contract)) shell.say(`  ${line}`);
  }
}

/** Where the result is, and how to get it when it is not in the base branch. */
export function resultOf(contract: ContractDetail): string[] {
  const { delivery, repositories } = contract;
  if (delivery === null) return [];
  const words = oneLine(deliveryWords(delivery, contract.autoMergeLocal ? 'merge' : 'branch'));
  const path = repositories.find(({ localPath }) => localPath !== null)?.localPath;
  if (delivery.commitSha === null || delivery.baseMoved || path == null) return [words];
  return [words, `git -C ${quoted(oneLine(path))} merge ${delivery.branch}   takes it over`];
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
