/** Handlers of contract types: each calls one verb. */
import { getContractType, listContractTypes } from '@makima/engine/contract-type/get';
import { putContractType } from '@makima/engine/contract-type/put';
import { reads, writes, type Handlers } from '../mount.ts';

export const contractTypeHandlers = {
  listContractTypes: reads((engine, caller) => listContractTypes(engine, caller)),
  getContractType: reads(getContractType),
  putContractType: writes(putContractType),
} satisfies Partial<Handlers>;
