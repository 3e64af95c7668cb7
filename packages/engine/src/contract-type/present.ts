/** A contract type as the wire shows it. */
import type { ContractTypeView } from '@makima/contracts/entity/contract-type';
import type { ContractType, Gate } from '@makima/domain/contract-type';
import type { ContractTypeRow } from '@makima/db/rows';

/** Without a row it is one that comes with makima. */
export function presentContractType(
  type: ContractType,
  row: Pick<ContractTypeRow, 'createdBy' | 'createdAt'> | undefined,
): ContractTypeView {
  return {
    name: type.name,
    version: type.version,
    builtin: row === undefined,
    phases: type.phases.map(({ name, terminal, deliverables, gate }) => ({
      name,
      terminal,
      deliverables: deliverables.map((owed) => ({ ...owed })),
      gate: presentGate(gate),
    })),
    createdBy: row?.createdBy ?? null,
    createdAt: row?.createdAt.toISOString() ?? null,
  };
}

function presentGate(gate: Gate): ContractTypeView['phases'][number]['gate'] {
  const { tasks, validator, validatorTimeoutSeconds, autoAdvance } = gate;
  return {
    tasks: typeof tasks === 'object' && 'named' in tasks ? { named: [...tasks.named] } : tasks,
    ...(validator === undefined ? {} : { validator: [...validator] }),
    ...(validatorTimeoutSeconds === undefined ? {} : { validatorTimeoutSeconds }),
    ...(autoAdvance === undefined ? {} : { autoAdvance }),
  };
}
