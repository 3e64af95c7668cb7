/**
 * A person accepts an order: a contract is made of it, once. Whoever accepts it again is answered that same
 * contract.
 */
import { zContractInput, type ContractDetail } from '@makima/contracts/entity/contract';
import type { AcceptInput, Order } from '@makima/contracts/entity/directive';
import { contractPriorityOf, orderGoal } from '@makima/domain/directive';
import { MakimaError } from '@makima/domain/error';
import { findContract } from '@makima/db/repo/contracts';
import { lockDirective } from '@makima/db/repo/directives';
import { decideOrder, lockOrder } from '@makima/db/repo/orders';
import type { ContractRow, DirectiveRow, OrderRow } from '@makima/db/rows';
import { act, type Act, type Acted, type Call, type Engine } from '../context.ts';
import { notFound, requirePerson } from '../authorize.ts';
import { makeContract } from '../contract/create.ts';
import { contractDetail } from '../contract/get.ts';
import { refuseArchived } from '../directive/start-task.ts';
import { presentOrder } from '../present/directive.ts';

/** @throws INVALID_TRANSITION when it was dismissed, CONFLICT when its contract was deleted. */
export function acceptOrder(
  engine: Engine,
  call: Call,
  input: AcceptInput & { readonly id: string },
): Promise<Acted<{ order: Order; contract: ContractDetail }>> {
  return act(engine, call, async (a) => {
    const person = requirePerson(a.caller, 'accept orders');
    const order = await lockOrder(a.tx, { ownerId: a.ownerId, id: input.id });
    if (order === undefined) throw notFound('order', input.id);
    if (order.status === 'dismissed') throw dismissed(order);
    if (order.status === 'accepted') {
      const known = await contractOf(a, order);
      return { order: presentOrder(order), contract: await contractDetail(engine, a.tx, known) };
    }
    const directive = await lockDirective(a.tx, {
      ownerId: a.ownerId,
      id: order.directiveId,
      strength: 'share',
    });
    if (directive === undefined) throw notFound('directive', order.directiveId);
    refuseArchived(directive);
    const contract = await makeContract(a, inputOf(order, directive, input), {
      directiveId: directive.id,
    });
    const decided = await decideOrder(a.tx, {
      ownerId: a.ownerId,
      id: order.id,
      userId: person.userId,
      by: person.name,
      decision: { status: 'accepted', contractId: contract.id },
    });
    if (decided === undefined)
      throw new MakimaError('CONFLICT', 'the order changed meanwhile', { retryable: true });
    a.emit('order.accepted', {
      contractId: contract.id,
      taskId: order.createdByTaskId,
      data: { orderId: order.id, directiveId: directive.id, title: order.title, by: person.name },
    });
    return { order: presentOrder(decided), contract: await contractDetail(engine, a.tx, contract) };
  });
}

function inputOf(order: OrderRow, directive: DirectiveRow, input: AcceptInput) {
  const { repositoryUrl, localPath, baseBranch } = order;
  const place = repositoryUrl === null ? { localPath: localPath ?? '' } : { repositoryUrl };
  return zContractInput.parse({
    name: input.name ?? order.title,
    description: orderGoal(order, directive),
    contractType: input.contractType,
    repositories: [{ ...place, ...(baseBranch === null ? {} : { baseBranch }) }],
    phaseGuard: input.phaseGuard,
    priority: contractPriorityOf[order.priority],
    agent: input.agent ?? directive.agent,
    model: input.model ?? (input.agent === undefined ? directive.model : null),
    start: input.start,
  });
}

function dismissed(order: OrderRow): MakimaError {
  return new MakimaError('INVALID_TRANSITION', `${order.decidedBy ?? 'somebody'} dismissed it`, {
    details: { status: order.status, reason: order.dismissedReason },
  });
}

async function contractOf(a: Act, order: OrderRow): Promise<ContractRow> {
  const row =
    order.contractId === null
      ? undefined
      : await findContract(a.tx, { ownerId: a.ownerId, id: order.contractId });
  if (row !== undefined) return row;
  throw new MakimaError('CONFLICT', 'the contract that it became was deleted', {
    details: { status: order.status, decidedBy: order.decidedBy },
  });
}
