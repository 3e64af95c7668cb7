/** The tool of directives: an order for future work. */
import { z } from 'zod';
import { zOrderInput } from '@makima/contracts/entity/directive';
import { orderStatuses } from '@makima/domain/directive';
import { placeOrder } from '@makima/engine/order/place';
import { defineTool } from './tool.ts';

export const order = defineTool({
  name: 'makima_order',
  title: 'Order future work',
  description:
    'Place an order for work that should be done later, outside your own: a `spike` finds something out, a `chore` is a change that needs no decision. One small, clear thing per order. A person accepts it (it becomes a contract) or dismisses it; nothing starts now. Only for directives.',
  input: zOrderInput,
  output: z.object({
    orderId: z.string(),
    title: z.string(),
    status: z.enum(orderStatuses),
    note: z.string(),
  }),
  agents: 'lead',
  people: 'not',
  effect: 'writes',
  run: async ({ engine, call, input }) => {
    const { result } = await placeOrder(engine, call, input);
    return {
      orderId: result.id,
      title: result.title,
      status: result.status,
      note: 'A person decides about it. Do not wait for that, and do not place it again.',
    };
  },
});
