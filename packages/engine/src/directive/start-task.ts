/**
 * Send an agent to work for a directive: a pending task of its own, without a contract. It places orders and
 * asks people; what it asks belongs to the directive.
 */
import type { DirectiveTaskInput } from '@makima/contracts/entity/directive';
import type { Task } from '@makima/contracts/entity/task';
import { checkDirectiveOpen } from '@makima/domain/directive';
import { MakimaError } from '@makima/domain/error';
import { directiveNumbers, lockDirective } from '@makima/db/repo/directives';
import { listOrderRows } from '@makima/db/repo/orders';
import { insertTask } from '@makima/db/repo/tasks';
import type { DirectiveRow, TaskRow } from '@makima/db/rows';
import { act, tracedTask, type Act, type Acted, type Call, type Engine } from '../context.ts';
import { notFound, requirePerson } from '../authorize.ts';
import { presentTask } from '../present/task.ts';
import { directiveBrief } from './brief.ts';

/** Most titles of open orders that an agent is told of. */
const toldMost = 100;

export function startDirectiveTask(
  engine: Engine,
  call: Call,
  input: DirectiveTaskInput & { readonly id: string },
): Promise<Acted<Task>> {
  return act(engine, call, async (a) => {
    requirePerson(a.caller, 'send agents to directives');
    // Held for change: two agents at once are counted one after the other.
    const directive = await lockDirective(a.tx, {
      ownerId: a.ownerId,
      id: input.id,
      strength: 'update',
    });
    if (directive === undefined) throw notFound('directive', input.id);
    return presentTask(await sendAgent(a, directive, input));
  });
}

/** The caller holds the directive's lock, or has just made it. */
export async function sendAgent(
  a: Act,
  directive: DirectiveRow,
  input: DirectiveTaskInput,
): Promise<TaskRow> {
  refuseArchived(directive);
  if (directive.repositoryUrl === null && directive.localPath === null) {
    throw new MakimaError(
      'MISSING_REPO_URL',
      'a directive needs a repository before agents start',
      {
        fix: `name one: PATCH /api/v1/directives/${directive.id}`,
      },
    );
  }
  await checkRoom(a, directive);
  const open = await listOrderRows(a.tx, {
    ownerId: a.ownerId,
    directiveId: directive.id,
    status: 'open',
    limit: toldMost,
  });
  const row = await insertTask(a.tx, {
    ...tracedTask(a),
    ownerId: a.ownerId,
    contractId: null,
    directiveId: directive.id,
    name: input.name ?? directive.title,
    plan: input.plan ?? directiveBrief(directive, open),
    agent: input.agent ?? directive.agent,
    model: input.model ?? (input.agent === undefined ? directive.model : null),
    repositoryUrl: directive.repositoryUrl,
    localPath: directive.localPath,
    baseBranch: directive.baseBranch,
    completionAction: 'none',
  });
  a.emit('task.spawned', {
    contractId: null,
    taskId: row.id,
    data: { name: row.name, directiveId: directive.id, agent: row.agent },
  });
  a.mail('spawn-task', { taskId: row.id }, { entityId: row.id, fence: 0 });
  return row;
}

export function refuseArchived(directive: DirectiveRow): void {
  const verdict = checkDirectiveOpen(directive);
  if (verdict.ok) return;
  throw new MakimaError('INVALID_TRANSITION', verdict.reason, {
    details: { status: directive.status },
    fix: `make it active again: PATCH /api/v1/directives/${directive.id}`,
  });
}

async function checkRoom(a: Act, directive: DirectiveRow): Promise<void> {
  const numbers = await directiveNumbers(a.tx, { ownerId: a.ownerId, ids: [directive.id] });
  const openTasks = numbers.get(directive.id)?.openTasks ?? 0;
  const max = a.engine.limits.openTasksPerDirectiveMax;
  if (openTasks < max) return;
  throw new MakimaError('LIMIT_EXCEEDED', `${openTasks} agents work for this directive already`, {
    retryable: true,
    details: { limit: 'openTasksPerDirectiveMax', max, actual: openTasks },
    fix: 'wait for one to end, or cancel it',
  });
}
