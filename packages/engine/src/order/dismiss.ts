/** A person says no to an order, with the reason. Said again it is the same no. */
import type { Order } from '@makima/contracts/entity/directive';
import { MakimaError } from '@makima/domain/error';
import { decideOrder, lockOrder } from '@makima/db/repo/orders';
import { act, type Acted, type Call, type Engine } from '../context.ts';
import { notFound, requirePerson } from '../authorize.ts';
import { presentOrder } from '../present/directive.ts';

/** @throws INVALID_TRANSITION when it was accepted. */
export function dismissOrder(
  engine: Engine,
  call: Call,
  input: { id: string; reason: string },
): Promise<Acted<Order>> {
  return act(engine, call, async (a) => {
    const person = requirePerson(a.caller, 'dismiss orders');
    const order = await lockOrder(a.tx, { ownerId: a.ownerId, id: input.id });
    if (order === undefined) throw notFound('order', input.id);
    if (order.status === 'dismissed') return presentOrder(order);
    if (order.status === 'accepted') {
      throw new MakimaError('INVALID_TRANSITION', `${order.decidedBy ?? 'somebody'} accepted it`, {
        details: { status: order.status, contractId: order.contractId },
        fix: 'cancel the contract that it became',
      });
    }
    const decided = await decideOrder(a.tx, {
      ownerId: a.ownerId,
      id: order.id,
      userId: person.userId,
      by: person.name,
      decision: { status: 'dismissed', dismissedReason: input.reason },
    });
    if (decided === undefined)
      throw new MakimaError('CONFLICT', 'the order changed meanwhile', { retryable: true });
    a.emit('order.dismissed', {
      contractId: null,
      taskId: order.createdByTaskId,
      data: {
        orderId: order.id,
        directiveId: order.directiveId,
        title: order.title,
        by: person.name,
        reason: input.reason.slice(0, 500),
      },
    });
    return presentOrder(decided);
  });
}
