/** The verbs of contract types and of many contracts at once, for the tests that walk all verbs. */
import { zContractTypeInput } from '@makima/contracts/entity/contract-type';
import { getContractType, listContractTypes } from './contract-type/get.ts';
import { batchContracts } from './contract/batch.ts';
import { putContractType } from './contract-type/put.ts';
import type { VerbLine } from './test-verb.ts';

const careful = zContractTypeInput.parse({ name: 'careful', phases: [{ name: 'all' }] });

export const cycleVerbs: readonly VerbLine[] = [
  ['listContractTypes', 'reads', null, (e, c) => listContractTypes(e, c.caller)],
  ['getContractType', 'reads', null, (e, c) => getContractType(e, c.caller, { name: 'simple' })],
  [
    'batchContracts',
    'writes',
    null,
    (e, c) => batchContracts(e, c, { operation: 'archive_old', dry_run: true, confirm: false }),
  ],
  ['putContractType', 'writes', null, (e, c) => putContractType(e, c, careful)],
];
