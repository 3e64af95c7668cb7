/** Every tool, and who has which. */
import type { Principal } from '@makima/engine/principal';
import * as branches from './branches.ts';
import * as code from './code.ts';
import * as contract from './contract.ts';
import * as tasks from './tasks.ts';
import type { Tool } from './tool.ts';
import * as waiting from './waiting.ts';

export const tools: readonly Tool[] = [
  tasks.spawn,
  tasks.list,
  tasks.tree,
  waiting.wait,
  tasks.result,
  waiting.ask,
  waiting.poll,
  code.checkpoint,
  contract.deliverable,
  contract.advance,
  code.checkpoints,
  branches.branch,
  branches.merge,
  branches.diff,
  code.readFile,
  tasks.message,
  contract.status,
  tasks.cancel,
] as unknown as readonly Tool[];

/** A task's agent has its own few, a supervisor all of them, a person those that need no agent. */
export function toolsOf(caller: Principal): readonly Tool[] {
  if (caller.kind === 'agent')
    return tools.filter((tool) => caller.isSupervisor || tool.agents === 'all');
  return caller.kind === 'person' ? tools.filter((tool) => tool.people === 'too') : [];
}
