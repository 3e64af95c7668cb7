/** Every command and every group of commands. */
import { contractCommands, contractsGroup } from './contracts.ts';
import { daemonGroup, keysGroup, machineCommands } from './machines.ts';
import { peopleCommands } from './people.ts';
import type { CommandSpec, GroupSpec } from './spec.ts';
import { taskCommands, tasksGroup } from './tasks.ts';

export const groups: readonly GroupSpec[] = [contractsGroup, tasksGroup, daemonGroup, keysGroup];

export const catalog: readonly CommandSpec[] = [
  ...peopleCommands,
  ...contractCommands,
  ...taskCommands,
  ...machineCommands,
];
