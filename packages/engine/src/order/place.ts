/**
 * Place an order for future work (seed 002): by an agent of a directive, or by the supervisor of a contract
 * that was ordered for one. Nothing starts: a person accepts or dismisses it.
 */
import type { Order, OrderInput } from '@makima/contracts/entity/directive';
import { checkOrderType } from '@makima/domain/directive';
import { MakimaError } from '@makima/domain/error';
import { lockDirective } from '@makima/db/repo/directives';
import { countOpenOrders, insertOrder } from '@makima/db/repo/orders';
import type { DirectiveRow, TaskRow } from '@makima/db/rows';
import { act, type Act, type Acted, type Call, type Engine } from '../context.ts';
import { lockedContract, requireAgent, requirePresent } from '../authorize.ts';
import { checkRepositoryPlace } from '../contract/repository-place.ts';
import { refuseArchived } from '../directive/start-task.ts';
import { presentOrder } from '../present/directive.ts';
import type { Agent } from '../principal.ts';

/** @throws INVALID_ORDER_TYPE, NO_DIRECTIVE, MISSING_REPO_URL. */
export function placeOrder(engine: Engine, call: Call, input: OrderInput): Promise<Acted<Order>> {
  return act(engine, call, async (a) => {
    const agent = requireAgent(a.caller);
    const { directive, task } = await lockedContext(a, agent);
    const type = checkOrderType(input.orderType);
    if (!type.ok) {
      throw new MakimaError('INVALID_ORDER_TYPE', type.reason, {
        details: { orderType: input.orderType, valid: ['spike', 'chore'] },
        fix: 'place it as a spike or a chore; what is more, tell the person in your summary',
      });
    }
    refuseArchived(directive);
    await checkRoom(a, directive);
    const row = await insertOrder(a.tx, {
      ...placeOf(directive, input.repositoryUrl),
      ownerId: a.ownerId,
      directiveId: directive.id,
      createdByTaskId: task.id,
      title: input.title,
      description: input.description ?? null,
      priority: input.priority,
      orderType: type.type,
      labels: [...new Set(input.labels)],
    });
    a.emit('order.placed', {
      contractId: agent.contractId,
      taskId: task.id,
      data: {
        orderId: row.id,
        directiveId: directive.id,
        title: row.title,
        orderType: row.orderType,
        priority: row.priority,
      },
    });
    return presentOrder(row);
  });
}

/** Contract (when there is one), directive and task, locked in that order: none ends meanwhile. */
async function lockedContext(
  a: Act,
  agent: Agent,
): Promise<{ readonly directive: DirectiveRow; readonly task: TaskRow }> {
  if (!agent.isSupervisor && agent.directiveId === null) {
    throw new MakimaError(
      'NOT_SUPERVISOR',
      'only the supervisor of a contract or an agent of a directive places orders',
      { fix: 'say in your summary what should be done' },
    );
  }
  if (agent.contractId !== null) await lockedContract(a.tx, agent, agent.contractId, 'share');
  const directive =
    agent.directiveId === null
      ? undefined
      : // Orders of one directive are counted one after the other.
        await lockDirective(a.tx, {
          ownerId: a.ownerId,
          id: agent.directiveId,
          strength: 'update',
        });
  const task = await requirePresent(a, agent);
  if (directive !== undefined) return { directive, task };
  throw new MakimaError('NO_DIRECTIVE', 'this contract was not ordered for a directive', {
    fix: 'say in your summary what should be done later',
  });
}

async function checkRoom(a: Act, directive: DirectiveRow): Promise<void> {
  const open = await countOpenOrders(a.tx, { ownerId: a.ownerId, directiveId: directive.id });
  const max = a.engine.limits.openOrdersPerDirectiveMax;
  if (open < max) return;
  throw new MakimaError('LIMIT_EXCEEDED', `${open} orders of this directive are open already`, {
    retryable: true,
    details: { limit: 'openOrdersPerDirectiveMax', max, actual: open },
    fix: 'place no more until a person has decided about some',
  });
}

/** The named repository, which may be the directive's by its path; else the directive's. */
function placeOf(
  directive: DirectiveRow,
  named: string | undefined,
): Pick<DirectiveRow, 'repositoryUrl' | 'localPath' | 'baseBranch'> {
  const { repositoryUrl, localPath, baseBranch } = directive;
  if (named === undefined || named === repositoryUrl || named === localPath) {
    if (repositoryUrl !== null || localPath !== null)
      return { repositoryUrl, localPath, baseBranch };
    throw new MakimaError('MISSING_REPO_URL', 'the directive has no repository', {
      fix: 'give repositoryUrl',
    });
  }
  checkRepositoryPlace({ repositoryUrl: named });
  return { repositoryUrl: named, localPath: null, baseBranch: null };
}
