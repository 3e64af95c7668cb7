/** Every command and every group of commands. */
import { contractCareCommands } from './contract-care.ts';
import { contractCommands, contractsGroup } from './contracts.ts';
import { directiveCommands, directivesGroup, ordersGroup } from './directives.ts';
import { daemonGroup, keysGroup, machineCommands } from './machines.ts';
import { peopleCommands } from './people.ts';
import type { CommandSpec, GroupSpec } from './spec.ts';
import { supervisorCodeCommands } from './supervisor-code.ts';
import { supervisorCommands, supervisorGroup } from './supervisor.ts';
import { taskCommands, tasksGroup } from './tasks.ts';
import { typeCommands, typesGroup } from './types.ts';
import { webhookCommands, webhooksGroup } from './webhooks.ts';

export const groups: readonly GroupSpec[] = [
  contractsGroup,
  tasksGroup,
  supervisorGroup,
  directivesGroup,
  ordersGroup,
  daemonGroup,
  keysGroup,
  typesGroup,
  webhooksGroup,
];

export const catalog: readonly CommandSpec[] = [
  ...peopleCommands,
  ...contractCommands,
  ...contractCareCommands,
  ...taskCommands,
  ...supervisorCommands,
  ...supervisorCodeCommands,
  ...directiveCommands,
  ...machineCommands,
  ...typeCommands,
  ...webhookCommands,
];
