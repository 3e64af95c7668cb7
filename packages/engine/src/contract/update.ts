/**
 * Settings of a contract change here: the next version, the event, and the end of a confirmation that
 * spoke of the version before. The contract is looked at again, because the gate may read differently.
 */
import { MakimaError } from '@makima/domain/error';
import { changeContract } from '@makima/db/repo/contracts';
import type { ContractRow } from '@makima/db/rows';
import type { Act } from '../context.ts';
import { voidIfChanged } from './confirmation.ts';
import { contractNow } from './finish.ts';

export type ContractSettings = Parameters<typeof changeContract>[1]['set'];

/** The caller holds the contract's lock. Without a difference nothing is written. */
export async function updateContract(
  a: Act,
  contract: ContractRow,
  wanted: ContractSettings,
): Promise<ContractRow> {
  const row = await writeSettings(a, contract, wanted);
  if (row.version === contract.version) return row;
  a.mail(
    'evaluate-contract',
    { contractId: row.id },
    { entityId: row.id, fence: `v${row.version}` },
  );
  return row;
}

/** The same, but nobody looks at the contract because of it. */
export async function writeSettings(
  a: Act,
  contract: ContractRow,
  wanted: ContractSettings,
): Promise<ContractRow> {
  const set = differences(contract, wanted);
  const changed = Object.keys(set);
  if (changed.length === 0) return contract;
  const row = await changeContract(a.tx, {
    ownerId: a.ownerId,
    id: contract.id,
    version: contract.version,
    set,
  });
  if (row === undefined)
    throw new MakimaError('CONFLICT', 'the contract changed meanwhile', { retryable: true });
  a.emit('contract.updated', {
    contractId: row.id,
    data: { changed, version: row.version },
  });
  await voidIfChanged(a, row);
  return contractNow(a, row.id);
}

function differences(contract: ContractRow, wanted: ContractSettings): ContractSettings {
  const entries = Object.entries(wanted).filter(
    ([name, value]) =>
      value !== undefined &&
      JSON.stringify(value) !== JSON.stringify(contract[name as keyof ContractSettings]),
  );
  return Object.fromEntries(entries) as ContractSettings;
}
