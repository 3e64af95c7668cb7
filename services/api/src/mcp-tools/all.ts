/** Every tool, and who has which. */
import type { Principal } from '@makima/engine/principal';
import * as branches from './branches.ts';
import * as code from './code.ts';
import * as contract from './contract.ts';
import * as directive from './directive.ts';
import * as tasks from './tasks.ts';
import { pullRequest } from './pull-request.ts';
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
  pullRequest,
  code.readFile,
  tasks.message,
  contract.status,
  tasks.cancel,
  directive.order,
  tasks.retry,
  contract.complete,
] as unknown as readonly Tool[];

/**
 * A task's agent has its own few, one of a directive some more, a supervisor all of them, a person those that
 * need no agent.
 */
export function toolsOf(caller: Principal): readonly Tool[] {
  if (caller.kind === 'agent') {
    const leads = caller.isSupervisor || caller.directiveId !== null;
    return tools.filter(
      ({ agents }) => agents === 'all' || caller.isSupervisor || (agents === 'lead' && leads),
    );
  }
  return caller.kind === 'person' ? tools.filter((tool) => tool.people === 'too') : [];
}
