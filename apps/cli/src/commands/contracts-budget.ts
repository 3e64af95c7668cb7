/** `makima contracts budget`: what a contract may spend; changed at once, whoever is stopped goes on. */
import type { ContractDetail } from '@makima/contracts/entity/contract';
import { tellDone } from '../act.ts';
import { budgetFact } from '../budget.ts';
import { contractId } from '../find.ts';
import { usageError } from '../print-error.ts';
import type { Shell } from '../shell.ts';
import { dollars } from '../catalog/spec.ts';

interface Options {
  readonly tokens?: number;
  readonly none?: true;
}

export async function run(
  shell: Shell,
  [typed, amount]: readonly [string, string | undefined],
  { tokens, none }: Options,
): Promise<void> {
  const costMicros = amount === undefined ? undefined : micros(amount);
  if (none === true && (costMicros !== undefined || tokens !== undefined))
    throw usageError('--none goes with no amount', `makima contracts budget ${typed} --none`);
  const client = await shell.connect();
  const id = await contractId(client, typed);
  const contract = await client.call('getContract', { params: { id } });
  if (none !== true && costMicros === undefined && tokens === undefined) {
    tellDone(shell, contract, sentence(contract));
    return;
  }
  // What is not named stays as it is.
  const budget =
    none === true
      ? null
      : {
          costMicros: costMicros ?? contract.budget?.costMicros ?? null,
          tokens: tokens ?? contract.budget?.tokens ?? null,
        };
  const changed = await client.call('patchContract', {
    params: { id },
    body: { budget, expectedVersion: contract.version },
  });
  tellDone(shell, changed, sentence(changed));
}

function sentence(contract: ContractDetail): string {
  return `${contract.slug}: ${budgetFact(contract) ?? 'no budget'}`;
}

function micros(amount: string): number {
  try {
    return dollars(amount);
  } catch (error) {
    throw usageError(`not an amount: ${amount}`, (error as Error).message);
  }
}
